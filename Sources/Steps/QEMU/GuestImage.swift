import Glibc
package import Model
package import SystemPackage
package import Tooling

/// An image to be booted without being changed.
package struct GuestImage: Hashable, Sendable {
    package enum Firmware: String, Hashable, Sendable {
        case bios
        case uefi
    }

    package var file: FilePath
    package var format: Machine.DiskFormat
    package var firmware: Firmware
    package var memory: ByteCount
    /// QEMU's name of the processor; nil lets the accelerator decide.
    package var processor: String?
    /// An ISO image with cloud-init's data.
    package var seed: FilePath?

    package init(
        file: FilePath, format: Machine.DiskFormat, firmware: Firmware = .bios, memory: ByteCount = .gibi(1),
        processor: String? = nil, seed: FilePath? = nil
    ) {
        self.file = file
        self.format = format
        self.firmware = firmware
        self.memory = memory
        self.processor = processor
        self.seed = seed
    }

    private static let inside = "/mnt/machine"
    private static let imageInside = "/mnt/image"
    private static let seedInside = "/mnt/seed"

    /// Makes an overlay and what else the machine needs in `folder`, which is given to contained processes.
    package func prepare(
        in folder: FilePath, accelerator: Accelerator, network: Machine.Network = .isolated, tools: ToolInventory,
        runner: some CommandRunning, evidence: FilePath
    ) async throws -> VirtualMachine {
        try Containment.handOver(folder)
        try await makeOverlay(in: folder, tools: tools, runner: runner)
        var machine = Machine(
            accelerator: accelerator, processor: processor, memory: memory,
            firmware: try GuestFirmware.prepare(firmware, in: folder, at: Self.inside, tools: tools),
            disks: [
                Machine.Disk(
                    file: Self.inside + "/overlay.qcow2", format: .qcow2,
                    base: Machine.Disk.Base(file: Self.imageInside, format: format))
            ],
            network: network, folder: Self.inside)
        var binds = [Containment.Bind(source: file, target: Self.imageInside)]
        if let seed {
            machine.seed = Self.seedInside
            binds.append(Containment.Bind(source: seed, target: Self.seedInside))
        }
        return VirtualMachine(
            machine: machine, program: try tools.require(.qemuSystem)[0].string, binds: binds, folder: folder,
            evidence: evidence)
    }

    private func makeOverlay(in folder: FilePath, tools: ToolInventory, runner: some CommandRunning) async throws {
        let command = Command(
            try tools.require(.qemuImg)[0].string,
            [
                "create", "-q", "-f", "qcow2", "-b", Self.imageInside, "-F", format.rawValue,
                Self.inside + "/overlay.qcow2",
            ],
            containment: Containment(
                workSize: .mebi(16),
                binds: [
                    .init(source: file, target: Self.imageInside),
                    .init(source: folder, target: Self.inside, writable: true),
                ], limits: .init(addressSpace: .gibi(2), processorTime: .seconds(30))),
            timeout: .seconds(60))
        try await runner.runChecked(command, activity: "making an overlay on \(file.lastComponent?.string ?? "")")
    }
}
