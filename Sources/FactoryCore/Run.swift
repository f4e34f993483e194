import Glibc
package import Model
import Steps
import Store
package import SystemPackage
import Tooling

extension Factory {
    /// Which firmware a person wants an image to be started by.
    package enum RunFirmware: String, Sendable, CaseIterable {
        case bios
        case uefi
    }

    /// Boots an image on a throw-away overlay with its console in this terminal. The file is not changed, and its
    /// header is looked at before any tool opens it.
    package func run(
        _ image: FilePath, firmware: RunFirmware, memory: ByteCount, seed: FilePath?,
        note: @escaping @Sendable (String) -> Void
    ) async throws {
        let inspection = ImageInspection(runner: runner, executable: executable)
        let facts = try await inspection.inspect(image, accepted: ["raw", "iso", "qcow2"])
        guard let format = Machine.DiskFormat(rawValue: facts.driver) else {
            throw FactoryError(.internal, "\(facts.driver) is no format that a machine can boot")
        }
        if let seed { _ = try await inspection.inspect(seed, accepted: ["raw", "iso"]) }
        let opened = try await openStore()
        let scratch = opened.root.appending("work").appending(UniqueName.make())
        try Folder.make(scratch)
        // The lock tells that this folder is in use; without it the next start removes it.
        let alive = try FileLock.attempt(scratch.appending("lock"))
        defer { _ = alive }
        let place = scratch.appending("scratch")
        try Folder.make(place)
        let verdict = await AcceleratorProbe(runner: runner, tools: tools).verdict(cache: opened.root)
        note("accelerator: \(verdict.accelerator.rawValue) (\(verdict.reason))")
        do {
            try await InteractiveConsole(runner: runner, tools: tools, scratch: place).run(
                GuestImage(
                    file: image, format: format, firmware: firmware == .uefi ? .uefi : .bios, memory: memory, seed: seed
                ),
                accelerator: verdict.accelerator, onNote: note)
        } catch {
            await opened.remove(scratch)
            throw error
        }
        await opened.remove(scratch)
    }

    func accelerator() async -> DoctorFinding {
        guard tools.paths(of: .qemuSystem).first != nil else {
            return DoctorFinding(subject: "accelerator", state: .bad, detail: "QEMU is missing")
        }
        let cache = (try? Folder.make(store)).map { store }
        let verdict = await AcceleratorProbe(runner: runner, tools: tools).verdict(cache: cache)
        let name = verdict.accelerator == .kvm ? "KVM" : "TCG"
        return DoctorFinding(
            subject: "accelerator", state: verdict.accelerator == .kvm ? .good : .warning,
            detail: "\(name): \(verdict.reason)" + (verdict.cached ? " (found out earlier)" : ""))
    }
}
