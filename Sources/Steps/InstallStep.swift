import Engine
import Glibc
package import Model
import SystemPackage
import Tooling

/// Lets a distribution's installer install onto an empty disk, in a virtual machine, and removes the traces of that from it.
struct InstallStep {
    static let disk = "disk.raw"
    static let record = "install.json"
    /// What the installer's console said, and what came from the second serial port.
    static let log = "installer.log"
    static let reportLog = "report.log"

    let action: InstallAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let answers = try InstallerAnswers(action, localFiles: environment.localFiles)
        let verdict = await AcceleratorProbe(runner: environment.runner, tools: environment.tools)
            .verdict(cache: environment.cache, scratch: context.scratch)
        let files = try await InstallerFiles.find(action, environment: environment, context: context)
        warn(verdict, context)
        let evidence = environment.logs.appending("install-\(getpid())")
        do {
            try await install(files, answers, verdict.accelerator, evidence, context)
            try await InstalledDiskSealing(environment).run(in: context)
            ScratchFolder.removeFlat(evidence.string)
        } catch {
            if Task.isCancelled { ScratchFolder.removeFlat(evidence.string) }
            throw error
        }
    }

    private func warn(_ verdict: AcceleratorVerdict, _ context: StepContext) {
        if verdict.accelerator == .tcg, action.processors > 1 {
            context.report.warn("without KVM the installing machine gets one processor, not \(action.processors)")
        }
        if action.hypervisor == .libvirt {
            context.report.warn("the installing machine is libvirt's and reaches whatever this host does")
        }
        if let host = environment.vnc?.host, host != "localhost", !host.hasPrefix("127."), host != "::1" {
            context.report.warn("whoever reaches port \(environment.vnc?.port ?? 0) of \(host) may use the display")
        }
    }

    /// Tries once more without KVM what KVM may have failed.
    private func install(
        _ files: InstallerFiles, _ answers: InstallerAnswers, _ accelerator: Accelerator, _ evidence: FilePath,
        _ context: StepContext
    ) async throws {
        do {
            return try await attempt(files, answers, accelerator, evidence, context)
        } catch let failure as GuestFailure where accelerator == .kvm && failure.accuses {
            context.report.warn("with KVM the guest failed (\(failure.reason)); it is tried once more without")
        } catch let failure as GuestFailure {
            throw failure.error
        }
        do {
            try await attempt(files, answers, .tcg, evidence, context)
        } catch let failure as GuestFailure {
            throw failure.error
        }
    }

    private func attempt(
        _ files: InstallerFiles, _ answers: InstallerAnswers, _ accelerator: Accelerator, _ evidence: FilePath,
        _ context: StepContext
    ) async throws {
        let disk = context.output.appending(Self.disk)
        try makeDisk(disk)
        let console = InstallerConsole(context.report)
        guard action.hypervisor == .qemu else {
            let installed = try await LibvirtInstallation(
                action: action, environment: environment, accelerator: accelerator, evidence: evidence,
                clocks: .installation(environment, accelerator)
            ).run(files, answers, disk: disk, context, console) { try await problem(of: disk, context) }
            return try keep(installed, nil, accelerator, evidence, context)
        }
        try await ScratchFolder.with(in: context.scratch) { folder in
            let (installed, traffic) = try await GuestNetwork.with(
                action.network, folder: folder, inside: InstallingMachine.inside, environment: environment,
                context: context
            ) { network in
                let machine = try await InstallingMachine(
                    action: action, environment: environment, accelerator: accelerator
                )
                .prepare(files, answers, disk: disk, network, in: folder, evidence: evidence)
                return try await DisplayRelay.with(environment.vnc, folder: folder) {
                    try await machine.install(
                        saysFinished: answers.saysFinished, by: environment.runner,
                        onSerial: { console.appendConsole($0) }, onReport: { console.appendReport($0) },
                        check: { try await problem(of: disk, context) })
                }
            }
            try keep(installed, traffic, accelerator, evidence, context)
        }
    }

    /// An empty disk, in place of one that an earlier try has left.
    private func makeDisk(_ disk: FilePath) throws {
        unlink(disk.string)
        do {
            let file = try FileDescriptor.open(
                disk, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
            try file.closeAfter { try file.resize(to: Int64(clamping: action.disk.bytes)) }
        } catch {
            throw FileFailure.error(error, "make", disk)
        }
        try Containment.handOver(disk)
    }

    /// What is wrong with the disk; nil if it can boot. Who wrote it is not trusted.
    private func problem(of disk: FilePath, _ context: StepContext) async throws -> String? {
        var work = ContainedWork(within: .init(addressSpace: .gibi(4), processorTime: .seconds(60)))
        work.bind(disk, InstalledDiskInside.disk.string, writable: true)
        do {
            try await InsideProgram.run(
                .installedDisk(InstalledDiskInside(firmware: action.firmware)), work: work, environment: environment,
                context: context)
            return nil
        } catch let error as FactoryError {
            return error.message
        }
    }

    private func keep(
        _ installed: VirtualMachine.Installed, _ traffic: GuestTraffic?, _ accelerator: Accelerator,
        _ evidence: FilePath, _ context: StepContext
    ) throws {
        for (from, to) in [(VirtualMachine.serialLog, Self.log), (VirtualMachine.reportLog, Self.reportLog)] {
            let bytes = try SmallFile.read(evidence.appending(from), limit: 128 << 20)
            try SmallFile.create(context.output.appending(to), bytes)
        }
        let record = InstallRecord(
            seconds: installed.time / .seconds(1), accelerator: accelerator.rawValue,
            written: ByteCount(UInt64(clamping: installed.writtenBytes)), saidFinished: installed.saidFinished,
            ending: installed.restarted ? .restart : .powerOff, traffic: traffic)
        try WholeFile.write(try Canonical.text(record), context.output.appending(Self.record))
    }
}

/// How an installation went.
package struct InstallRecord: Hashable, Sendable, Codable {
    package enum Ending: String, Hashable, Sendable, Codable {
        case powerOff = "power-off"
        case restart
    }

    package var seconds: Double
    package var accelerator: String
    /// To the disk, by the guest.
    package var written: ByteCount
    /// Whether the installer said on the second serial port that it is done.
    package var saidFinished: Bool
    package var ending: Ending
    /// Nil where the guest's network was open.
    package var traffic: GuestTraffic?
}
