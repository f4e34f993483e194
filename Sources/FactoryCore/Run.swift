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
        try await opened.withWorkFolder { place in
            let verdict = await AcceleratorProbe(runner: runner, tools: tools)
                .verdict(cache: opened.root, scratch: place)
            note("accelerator: \(verdict.accelerator.rawValue) (\(verdict.reason))")
            try await InteractiveConsole(runner: runner, tools: tools, scratch: place).run(
                GuestImage(
                    file: image, format: format, firmware: firmware == .uefi ? .uefi : .bios, memory: memory, seed: seed
                ),
                accelerator: verdict.accelerator, onNote: note)
        }
    }

    func accelerator() async -> DoctorFinding {
        guard tools.paths(of: .qemuSystem).first != nil else {
            return DoctorFinding(subject: "accelerator", state: .bad, detail: "QEMU is missing")
        }
        guard let opened = try? await openStore() else {
            return DoctorFinding(subject: "accelerator", state: .bad, detail: "the store \(store) cannot be opened")
        }
        let probe = AcceleratorProbe(runner: runner, tools: tools)
        let found = try? await opened.withWorkFolder { await probe.verdict(cache: opened.root, scratch: $0) }
        guard let verdict = found else {
            return DoctorFinding(subject: "accelerator", state: .bad, detail: "nothing can be written in \(store)")
        }
        let name = verdict.accelerator == .kvm ? "KVM" : "TCG"
        return DoctorFinding(
            subject: "accelerator", state: verdict.accelerator == .kvm ? .good : .warning,
            detail: "\(name): \(verdict.reason)" + (verdict.cached ? " (found out earlier)" : ""))
    }
}
