import DiskFormats
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
        let format = try format(of: image)
        let opened = try await openStore()
        let verdict = await AcceleratorProbe(runner: runner, tools: tools).verdict(cache: opened.root)
        note("accelerator: \(verdict.accelerator.rawValue) (\(verdict.reason))")
        try await opened.withScratch { scratch in
            try await InteractiveConsole(runner: runner, tools: tools, scratch: scratch).run(
                GuestImage(
                    file: image, format: format, firmware: firmware == .uefi ? .uefi : .bios, memory: memory, seed: seed
                ),
                accelerator: verdict.accelerator, onNote: note)
        }
    }

    private func format(of image: FilePath) throws -> Machine.DiskFormat {
        let header: DiskImageHeader
        do {
            let file = try FileDescriptor.open(image, .readOnly, options: .closeOnExec)
            header = try file.closeAfter { try DiskImageHeader.inspect(file) }
        } catch {
            throw FactoryError(
                .missingInput, "cannot read the image \(image): \(error)", remedy: "check the path and its mode")
        }
        if let hazard = header.hazards.first {
            throw FactoryError(
                .definition, "the image \(image) is not safe to open: \(hazard)",
                remedy: "convert it to a plain qcow2 or raw image where it comes from")
        }
        guard let driver = header.kind.blockDriver, let format = Machine.DiskFormat(rawValue: driver) else {
            throw FactoryError(
                .definition, "the image \(image) is neither raw nor qcow2", remedy: "convert it with qemu-img")
        }
        return format
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
