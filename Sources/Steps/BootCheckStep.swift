import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// Boots the sealed image on a throw-away overlay until it asks for a login, and proves that the image did not change.
struct BootCheckStep {
    let action: BootCheckAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let disk = try context.input("disk")
        let sealed = try Canonical.decode(DigestRecord.self, from: try WholeFile.bytes(try context.input("digest")))
        guard let format = Machine.DiskFormat(rawValue: action.format.rawValue) else {
            throw FactoryError(.internal, "\(action.format.rawValue) is no format that a machine can boot")
        }
        _ = try await ImageInspection(runner: environment.runner, executable: environment.executable)
            .inspect(disk, claimed: action.format.rawValue)
        let verdict = await AcceleratorProbe(runner: environment.runner, tools: environment.tools)
            .verdict(cache: environment.cache, scratch: context.scratch)
        let check = ImageBootCheck(
            runner: environment.runner, tools: environment.tools, accelerator: verdict.accelerator,
            scratch: context.scratch)
        let image = GuestImage(file: disk, format: format, firmware: action.firmware == .uefi ? .uefi : .bios)
        let report = try await boot(image, check, context)
        guard try await FileDigest.compute(disk) == sealed.digest else {
            throw FactoryError(
                .failed, "the image changed while it was booted", remedy: "check the disk that holds the store")
        }
        let record = BootCheckRecord(
            seconds: report.seconds, accelerator: report.accelerator.rawValue, seen: "\(report.seen)")
        try WholeFile.write(try Canonical.text(record), context.output.appending("boot.json"))
    }

    /// Only a guest that failed leaves evidence, in a folder of its own: several are booted at once.
    private func boot(
        _ image: GuestImage, _ check: ImageBootCheck, _ context: StepContext
    ) async throws -> ImageBootCheck.Report {
        let lines = SerialLines { context.report.log($0) }
        let evidence = environment.logs.appending("boot-\(action.firmware.rawValue)-\(getpid())")
        do {
            let report = try await check.run(
                image, clocks: GuestClocks(total: environment.bootLimit), evidence: evidence,
                onWarning: { context.report.warn($0) }, onSerial: { lines.append($0) })
            ScratchFolder.removeFlat(evidence.string)
            return report
        } catch {
            if Task.isCancelled { ScratchFolder.removeFlat(evidence.string) }
            throw error
        }
    }
}

package struct BootCheckRecord: Hashable, Sendable, Codable {
    package var seconds: Double
    package var accelerator: String
    /// What proved that it is up.
    package var seen: String
}
