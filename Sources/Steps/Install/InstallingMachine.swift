import Glibc
import Model
import SystemPackage
import Tooling

/// The virtual machine in which an installer runs.
struct InstallingMachine {
    static let inside = "/mnt/machine"
    private static let diskInside = "/mnt/disk.raw"
    private static let kernelInside = "/mnt/kernel"
    private static let mediumInside = "/mnt/medium.iso"

    let action: InstallAction
    let environment: StepEnvironment
    let accelerator: Accelerator

    /// Makes what the machine needs in `folder`, which is given to contained processes.
    func prepare(
        _ files: InstallerFiles, _ answers: InstallerAnswers, disk: FilePath, _ network: GuestNetwork,
        in folder: FilePath, evidence: FilePath
    ) async throws -> VirtualMachine {
        try Containment.handOver(folder)
        try await makeInitrd(files.initrd, with: try answers.archive(), in: folder)
        let firmware = try GuestFirmware.prepare(
            action.firmware == .uefi ? .uefi : .bios, in: folder, at: Self.inside, tools: environment.tools)
        var machine = Machine(
            accelerator: accelerator, processor: processor, memory: action.memory, firmware: firmware,
            disks: [Machine.Disk(file: Self.diskInside, format: .raw, isResult: true)],
            network: network.machine,
            folder: Self.inside,
            installation: Machine.Installation(
                kernel: Machine.Kernel(
                    file: Self.kernelInside, initrd: Self.inside + "/initrd",
                    commandLine: try InstallerCommandLine.text(action, isWatched: environment.vnc != nil)),
                medium: files.medium == nil ? nil : Self.mediumInside, processors: action.processors,
                mac: action.mac, hasDisplay: environment.vnc != nil))
        var binds = [
            Containment.Bind(source: disk, target: Self.diskInside, writable: true),
            Containment.Bind(source: files.kernel, target: Self.kernelInside),
        ]
        if let medium = files.medium { binds.append(.init(source: medium, target: Self.mediumInside)) }
        if let seed = try answers.seed() {
            let file = folder.appending("seed.iso")
            try PrivateFile.create(file, seed)
            try Containment.handOver(file)
            machine.seed = Self.inside + "/seed.iso"
        }
        var running = VirtualMachine(
            machine: machine, program: try environment.tools.require(.qemuSystem)[0].string, binds: binds,
            folder: folder, network: network.containment,
            clocks: GuestClocks.installation(environment, accelerator), evidence: evidence)
        running.networkBytes = network.bytes
        running.console = SerialMatcher.installer(isAttended: environment.vnc != nil)
        running.subject = "the installation"
        return running
    }

    /// Systems of these installers may be built for more than the oldest processor.
    private var processor: String? {
        guard accelerator == .tcg else { return nil }
        return action.answers.contains { $0.kind == .kickstart || $0.kind == .autoyast } ? "max" : nil
    }

    /// The installer's initrd with the answers behind it. Answers may hold secrets.
    private func makeInitrd(_ initrd: FilePath, with archive: [UInt8], in folder: FilePath) async throws {
        let target = folder.appending("initrd")
        try await BlockingWork.run { checkCancellation in
            do {
                let source = try FileDescriptor.open(initrd, .readOnly, options: .closeOnExec)
                try source.closeAfter {
                    let file = try FileDescriptor.open(
                        target, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                        permissions: .ownerReadWrite)
                    try file.closeAfter {
                        try InitrdFile.write(source, archive, to: file, checkCancellation: checkCancellation)
                    }
                }
            } catch let problem as Errno {
                throw FactoryError(.inputOutput, "cannot write the installer's initrd: \(problem)")
            }
        }
        try Containment.handOver(target)
    }
}

/// Files that may hold secrets.
enum PrivateFile {
    /// Makes a new file that only its owner reads.
    static func create(_ path: FilePath, _ bytes: [UInt8]) throws {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
        } catch {
            throw FileFailure.error(error, "write", path)
        }
    }
}

extension GuestClocks {
    /// How long an installation may take.
    static func installation(_ environment: StepEnvironment, _ accelerator: Accelerator) -> GuestClocks {
        if let chosen = environment.installClocks { return chosen }
        var clocks =
            switch accelerator {
            case .kvm: GuestClocks(total: .seconds(7200), noProgress: .seconds(600), shutdownGrace: .seconds(300))
            // Without KVM a package manager may think for a quarter of an hour without a word.
            case .tcg: GuestClocks(total: .seconds(28_800), noProgress: .seconds(1200), shutdownGrace: .seconds(900))
            }
        clocks.total = environment.installLimit ?? clocks.total
        return clocks
    }
}

/// An initrd that has a further archive behind it.
enum InitrdFile {
    /// The kernel looks for the next archive at a multiple of 4, behind zeroes.
    static func write(
        _ initrd: FileDescriptor, _ archive: [UInt8], to target: FileDescriptor, checkCancellation: () throws -> Void
    ) throws {
        var size = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            try checkCancellation()
            let count = try buffer.withUnsafeMutableBytes { try initrd.read(into: $0) }
            if count == 0 { break }
            _ = try target.writeAll(buffer[..<count])
            size += count
        }
        guard !archive.isEmpty else { return }
        _ = try target.writeAll([UInt8](repeating: 0, count: (4 - size % 4) % 4))
        _ = try target.writeAll(archive)
    }
}
