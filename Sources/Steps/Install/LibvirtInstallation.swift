import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// An installation in a virtual machine of libvirt, started by virt-install. The machine is no child of this program:
/// it is undefined on every way out, and its name is written down before.
struct LibvirtInstallation {
    let action: InstallAction
    let environment: StepEnvironment
    let accelerator: Accelerator
    let evidence: FilePath
    let clocks: GuestClocks

    /// Where the machine's serial ports are written to.
    private struct Ports {
        var console: FilePath
        var report: FilePath
    }

    /// Throws `GuestFailure` where the guest is at fault.
    func run(
        _ files: InstallerFiles, _ answers: InstallerAnswers, disk: FilePath, _ context: StepContext,
        _ console: InstallerConsole, check: () async throws -> String?
    ) async throws -> VirtualMachine.Installed {
        try environment.tools.require(.virtInstall)
        try environment.tools.require(.virsh)
        let folder = context.scratch.appending("libvirt")
        guard mkdir(folder.string, 0o755) == 0 else { throw FileFailure.error(Errno(rawValue: errno), "make", folder) }
        let lease = try environment.leaseDomain?() ?? LibvirtLease(domain: .unrecorded) {}
        let ports = Ports(console: folder.appending("console.log"), report: folder.appending("report.log"))
        let arguments = LibvirtArguments(
            domain: lease.domain, action: action, disk: disk, location: folder,
            injected: try prepare(files, answers, in: folder),
            discs: try discs(files, answers, in: folder),
            commandLine: try InstallerCommandLine.text(action, isWatched: environment.vnc != nil),
            console: ports.console, report: ports.report, vnc: environment.vnc, accelerator: accelerator,
            processors: accelerator == .tcg ? 1 : action.processors)
        try arguments.check()
        let result: Result<VirtualMachine.Installed, any Error>
        do {
            result = .success(
                try await watch(arguments, ports, saysFinished: answers.saysFinished, console, check: check))
        } catch {
            result = .failure(error)
        }
        if await lease.domain.release(by: environment.runner) {
            lease.settle()
        } else {
            context.report.warn("libvirt still has the machine \(lease.domain.name); the next start tries again")
        }
        return try result.get()
    }

    /// What virt-install reads; returns what it injects. Answers may hold secrets.
    private func prepare(
        _ files: InstallerFiles, _ answers: InstallerAnswers, in folder: FilePath
    ) throws -> [FilePath] {
        guard symlink(files.kernel.string, folder.appending("linux").string) == 0,
            symlink(files.initrd.string, folder.appending("initrd").string) == 0
        else { throw FileFailure.error(Errno(rawValue: errno), "make", folder) }
        let place = folder.appending("answers")
        guard mkdir(place.string, 0o700) == 0 else { throw FileFailure.error(Errno(rawValue: errno), "make", place) }
        return try answers.injected.map { file in
            let path = place.appending(file.name)
            try PrivateFile.create(path, file.content)
            return path
        }
    }

    private func discs(
        _ files: InstallerFiles, _ answers: InstallerAnswers, in folder: FilePath
    ) throws -> [FilePath] {
        var discs = files.medium.map { [$0] } ?? []
        if let seed = try answers.seed() {
            let path = folder.appending("seed.iso")
            try PrivateFile.create(path, seed)
            discs.append(path)
        }
        return discs
    }

    private func watch(
        _ arguments: LibvirtArguments, _ ports: Ports, saysFinished: Bool, _ console: InstallerConsole,
        check: () async throws -> String?
    ) async throws -> VirtualMachine.Installed {
        _ = mkdir(evidence.string, 0o755)
        let recorder = try SerialRecorder(
            log: evidence.appending(VirtualMachine.serialLog),
            rules: SerialMatcher.installer(isAttended: environment.vnc != nil)
        ) { console.appendConsole($0) }
        let report = try SerialRecorder(
            log: evidence.appending(VirtualMachine.reportLog), rules: SerialMatcher.report
        ) { console.appendReport($0) }
        let command = Command(
            try environment.tools.require(.virtInstall)[0].string, arguments.arguments,
            environment: LibvirtDomain.environment)
        let start = ContinuousClock.now
        do {
            try await environment.runner.withRunning(command) { _, line in
                console.note(line)
            } body: { process in
                try await wait(
                    for: ExitWatch(process),
                    [FileTail(ports.console, to: recorder), FileTail(ports.report, to: report)],
                    recorder, arguments.disk)
            }
            let isOff = try await powerEnd(of: arguments.domain)
            let saidFinished = report.signs.contains(.installationFinished)
            try judge(isOff: isOff, saysFinished: saysFinished, saidFinished: saidFinished)
            if !saysFinished, let problem = try await check() {
                throw GuestSession.Failure(kind: .poweredOff, reason: problem, remedy: VirtualMachine.wholeSystem)
            }
            return VirtualMachine.Installed(
                time: ContinuousClock.now - start, saidFinished: saidFinished, restarted: !isOff,
                writtenBytes: Int64(allocated(arguments.disk)))
        } catch let failure as GuestSession.Failure {
            let clues = recorder.clues.union(report.clues)
            let explained = failure.explained(by: clues, clocks: clocks)
            let picture = try? await screenshot(of: arguments.domain, in: arguments.location)
            throw GuestEvidence(folder: evidence, subject: "the installation")
                .failure(explained, lines: recorder.lastLines(40), picture: picture)
        }
    }

    /// Until virt-install ends, which is when the machine does.
    private func wait(
        for exit: ExitWatch, _ tails: [FileTail], _ recorder: SerialRecorder, _ disk: FilePath
    ) async throws {
        let start = ContinuousClock.now
        var watch = GuestWatch(clocks: clocks)
        while true {
            let isRunning = exit.isRunning
            for tail in tails { tail.read() }
            for case .failure(let reason) in recorder.signs {
                throw GuestSession.Failure(kind: .told, reason: reason)
            }
            guard isRunning else { break }
            let progress = GuestWatch.Progress(
                serialBytes: tails.reduce(0) { $0 &+ $1.count }, diskBytes: Int64(allocated(disk)), diskOperations: 0)
            switch watch.judge(progress, at: ContinuousClock.now - start) {
            case .fine: break
            case .late: throw GuestSession.Failure(kind: .late, reason: "it did not end in time")
            case .stuck:
                throw GuestSession.Failure(
                    kind: .stuck,
                    reason: "it did nothing for \(clocks.noProgress): no serial output, nothing new on its disk")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        guard let result = try exit.result(), result.succeeded else {
            let reason = try exit.result()?.reason.map { ": \($0)" } ?? ""
            throw FactoryError(
                .failed, "virt-install failed\(reason)", remedy: "check that libvirt runs, or build with QEMU itself")
        }
    }

    /// Whether the guest switched itself off, rather than asked for a restart. virt-install defines the machine anew after
    /// the installation, and then libvirt may not know any more: that counts as switched off.
    private func powerEnd(of domain: LibvirtDomain) async throws -> Bool {
        let result = try await environment.runner.run(domain.virsh("domstate", domain.name, "--reason"))
        return !["(destroyed)", "(crashed)"].contains { result.text.contains($0) }
    }

    private func judge(isOff: Bool, saysFinished: Bool, saidFinished: Bool) throws {
        guard saysFinished else { return }
        if !saidFinished {
            throw GuestSession.Failure(
                kind: .poweredOff, reason: "it \(isOff ? "switched itself off" : "restarted") before it was done")
        }
        if !isOff { throw GuestSession.Failure.restartedAtEnd }
    }

    private func screenshot(of domain: LibvirtDomain, in folder: FilePath) async throws -> [UInt8]? {
        let file = folder.appending("screen")
        let result = try await environment.runner.run(domain.virsh("screenshot", domain.name, file.string))
        return result.succeeded ? try SmallFile.read(file) : nil
    }

    private func allocated(_ path: FilePath) -> UInt64 {
        var facts = stat()
        guard lstat(path.string, &facts) == 0 else { return 0 }
        return UInt64(clamping: facts.st_blocks) * 512
    }
}

extension LibvirtDomain {
    /// For runs without a ledger.
    static var unrecorded: LibvirtDomain { LibvirtDomain(name: "image-factory-\(UInt64.random(in: .min ... .max))") }
}

/// What comes to the end of a file that another program writes.
final class FileTail {
    private let path: FilePath
    private let recorder: SerialRecorder
    private var file: FileDescriptor?

    init(_ path: FilePath, to recorder: SerialRecorder) {
        self.path = path
        self.recorder = recorder
    }

    deinit { try? file?.close() }

    var count: Int { recorder.count }

    /// Hands on what is new.
    func read() {
        if file == nil { file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow]) }
        guard let file else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        // A guest that prints faster than this must not keep us from looking at the clocks.
        for _ in 0..<256 {
            guard let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 else { return }
            recorder.append(Array(buffer[..<count]))
        }
    }
}
