import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// An image that is set up in a machine of libvirt. The machine is no child of this program: it is undefined on every way
/// out. A name that the program makes up is written down before; one that the user chose is not, since after a crash it
/// may be the user's own machine that has it.
struct LibvirtSetup {
    let action: CloudSetupAction
    let environment: StepEnvironment
    let evidence: FilePath
    let clocks: GuestClocks

    /// What is heard of the guest.
    private struct Ears {
        var console: SerialRecorder
        var report: SerialRecorder
        var tails: [FileTail]
    }

    /// Throws `SetupFailure` where the guest is at fault.
    func run(
        _ parts: CloudSetupAttempt.Parts, _ receiver: ProbeReceiver?, _ patience: Duration, _ console: SetupConsole,
        _ context: StepContext
    ) async throws -> VirtualMachine.SetUp {
        try environment.tools.require(.virsh)
        let folder = context.scratch.appending("libvirt")
        guard mkdir(folder.string, 0o755) == 0 || errno == EEXIST else {
            throw FileFailure.error(Errno(rawValue: errno), "make", folder)
        }
        defer { ScratchFolder.removeFlat(folder.string) }
        let lease = try await lease()
        let file = try describe(lease.domain, parts, in: folder)
        let ears = try ears(parts, receiver, console, in: folder)
        let result: Result<VirtualMachine.SetUp, any Error>
        do {
            for word in [["define", file.string], ["start", lease.domain.name]] {
                var command = lease.domain.virsh(word)
                // On a busy host libvirt takes its time to find out what QEMU can do.
                command.timeout = .seconds(300)
                try await environment.runner.runChecked(command, activity: "starting a machine of libvirt") { _, line in
                    console.note(line)
                }
            }
            result = .success(try await watch(lease.domain, ears, receiver, patience, parts.disk))
        } catch {
            result = .failure(error)
        }
        let words = environment.libvirtMachine.removeOptions
        if await lease.domain.release(by: environment.runner, removing: words) {
            lease.settle()
        } else {
            context.report.warn("libvirt still has the machine \(lease.domain.name); the next start tries again")
        }
        if case .failure(let told as SetupFailure) = result {
            let failure = told.explained(by: ears.console.clues)
            _ = GuestEvidence(folder: evidence, subject: "the guest").failure(
                GuestSession.Failure(kind: .told, reason: failure.text), lines: ears.console.lastLines(40),
                picture: nil)
            throw failure
        }
        return try result.get()
    }

    /// Throws if libvirt already has a machine of the name that the user chose: what is undefined at the end is ours.
    private func lease() async throws -> LibvirtLease {
        guard let name = environment.libvirtMachine.name else {
            return try environment.leaseDomain?() ?? LibvirtLease(domain: .unrecorded) {}
        }
        let domain = LibvirtDomain(name: name)
        guard try await !environment.runner.run(domain.virsh("domstate", name)).succeeded else {
            throw FactoryError(
                .failed, "libvirt already has a machine that is called '\(name)'",
                remedy: "choose another name, or let the program make one up")
        }
        return LibvirtLease(domain: domain) {}
    }

    /// Writes the machine's description and its seed.
    private func describe(
        _ domain: LibvirtDomain, _ parts: CloudSetupAttempt.Parts, in folder: FilePath
    ) throws -> FilePath {
        let machine = environment.libvirtMachine
        let seed = folder.appending("seed.iso")
        if let bytes = parts.seed { try PrivateFile.create(seed, bytes) }
        let description = LibvirtDescription(
            name: domain.name, disk: parts.disk, seed: parts.seed == nil ? nil : seed,
            console: folder.appending("console.log"), report: folder.appending("report.log"), action: action,
            accelerator: parts.accelerator, values: machine.values)
        let file = folder.appending("machine.xml")
        try WholeFile.write(try description.xml(machine.template), file)
        return file
    }

    private func ears(
        _ parts: CloudSetupAttempt.Parts, _ receiver: ProbeReceiver?, _ console: SetupConsole, in folder: FilePath
    ) throws -> Ears {
        let serial = try SerialRecorder(
            log: evidence.appending(VirtualMachine.serialLog), rules: SerialMatcher.setup
        ) { console.append($0) }
        let report = try SerialRecorder(
            log: evidence.appending(VirtualMachine.reportLog),
            rules: SerialMatcher.Rules(finished: parts.probe?.finishedLine)
        ) { receiver?.add($0) }
        return Ears(
            console: serial, report: report,
            tails: [
                FileTail(folder.appending("console.log"), to: serial),
                FileTail(folder.appending("report.log"), to: report),
            ])
    }

    private func watch(
        _ domain: LibvirtDomain, _ ears: Ears, _ receiver: ProbeReceiver?, _ patience: Duration, _ disk: FilePath
    ) async throws -> VirtualMachine.SetUp {
        let start = ContinuousClock.now
        var clock = GuestWatch(clocks: clocks)
        var leaving: ContinuousClock.Instant?
        var prompt: ContinuousClock.Instant?
        var asked = start
        while true {
            let state = try await state(of: domain)
            for tail in ears.tails { tail.read() }
            for case .failure(let reason) in ears.console.signs {
                throw SetupFailure(GuestSession.Failure(kind: .told, reason: reason))
            }
            let now = ContinuousClock.now
            if !state.isRunning {
                try judge(state, ears, isDone: leaving != nil || ears.report.signs.contains(.installationFinished))
                return VirtualMachine.SetUp(time: now - start, writtenBytes: Int64(clamping: Self.allocated(disk)))
            }
            if ears.console.signs.contains(.loginPrompt) || ears.console.signs.contains(.cloudInitFinished) {
                prompt = prompt ?? now
            }
            if ears.report.signs.contains(.installationFinished) { leaving = leaving ?? now }
            if let since = prompt, now - since > patience, leaving == nil, receiver?.hasStarted != true {
                guard receiver == nil else { throw SetupFailure.ignoredSeed }
                leaving = now
                _ = try await environment.runner.run(domain.virsh(["shutdown", domain.name]))
            }
            if let since = leaving {
                guard now - since < clocks.shutdownGrace else { throw SetupFailure.stays(clocks) }
                if now - max(asked, since) > .seconds(10) {
                    asked = now
                    _ = try await environment.runner.run(domain.virsh(["shutdown", domain.name]))
                }
            }
            let progress = GuestWatch.Progress(
                serialBytes: ears.console.count &+ ears.report.count,
                diskBytes: Int64(clamping: Self.allocated(disk)), diskOperations: 0)
            switch clock.judge(progress, at: now - start) {
            case .fine: break
            case .late:
                throw SetupFailure(
                    GuestSession.Failure(kind: .late, reason: "it was not ready within \(clocks.total)"))
            case .stuck:
                throw SetupFailure(
                    GuestSession.Failure(
                        kind: .stuck,
                        reason: "it did nothing for \(clocks.noProgress): no serial output, nothing new on its disk"))
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private func judge(_ state: (isRunning: Bool, text: String), _ ears: Ears, isDone: Bool) throws {
        if state.text.contains("crashed") { throw SetupFailure(.guestPanic, "the guest crashed") }
        // libvirt tells the restart of a machine that may not restart as a shutdown: Linux says the difference.
        let isRestart = ears.console.lastLines(20).contains { $0.contains("reboot: Restarting system") }
        if isRestart || state.text.contains("(destroyed)") { throw SetupFailure.restarted }
        if !isDone { throw SetupFailure.earlyPowerOff }
    }

    /// `running (booted)`, `shut off (shutdown)`, …
    private func state(of domain: LibvirtDomain) async throws -> (isRunning: Bool, text: String) {
        let result = try await environment.runner.run(domain.virsh(["domstate", domain.name, "--reason"]))
        guard result.succeeded else { throw SetupFailure(.machineDied, "libvirt lost the machine") }
        let isOff = ["shut off", "crashed"].contains { result.text.hasPrefix($0) }
        return (!isOff, result.text)
    }

    private static func allocated(_ path: FilePath) -> UInt64 {
        var facts = stat()
        guard lstat(path.string, &facts) == 0 else { return 0 }
        return UInt64(clamping: facts.st_blocks) * 512
    }
}
