import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct LibvirtArgumentsTests {
    private func arguments(
        _ change: (inout InstallAction) -> Void = { _ in }, seed: FilePath? = nil, medium: FilePath? = nil,
        vnc: VNCDisplay? = nil
    ) -> [String] {
        let digest = Digest(of: [])
        var action = InstallAction(
            medium: .kernel(digest, initrd: digest), answers: [], append: "", disk: .gibi(2), firmware: .bios,
            memory: .mebi(1536), processors: 2, mac: nil, hypervisor: .libvirt, network: .open, day: "2026-11-21")
        change(&action)
        return LibvirtArguments(
            domain: LibvirtDomain(connection: "qemu:///session", name: "image-factory-1"), action: action,
            disk: "/out/disk.raw", location: "/l", injected: ["/l/answers/web.cfg"], seed: seed, medium: medium,
            commandLine: "preseed/url=file:///web.cfg a=b", console: "/l/console.log", report: "/l/report.log",
            vnc: vnc, accelerator: .tcg, processors: 1
        ).arguments
    }

    @Test func `The command line is that of image-factory 1.0.2, and what today's virt-install needs`() {
        #expect(
            arguments() == [
                "--connect", "qemu:///session", "--noreboot", "--wait", "-1", "--name", "image-factory-1",
                "--vcpus", "1", "--memory", "1536", "--disk", "path=/out/disk.raw,bus=virtio,format=raw",
                "--network", "user,model=virtio", "--graphics", "none", "--serial", "pty,log.file=/l/console.log",
                "--serial", "file,path=/l/report.log", "--console", "pty,target_type=serial", "--noautoconsole",
                "--location", "/l,kernel=linux,initrd=initrd", "--extra-args", "preseed/url=file:///web.cfg a=b",
                "--initrd-inject", "/l/answers/web.cfg", "--virt-type", "qemu", "--osinfo", "detect=on,require=off",
            ])
    }

    @Test func `Address, display and firmware are given where they are asked for`() {
        let words = arguments(
            {
                $0.mac = "52:54:00:12:34:56"
                $0.firmware = .uefi
            }, vnc: VNCDisplay(host: "localhost", number: 13))
        #expect(words.contains("user,model=virtio,mac=52:54:00:12:34:56"))
        #expect(words.contains("vnc,port=5913,listen=localhost"))
        #expect(words.contains(["--boot", "uefi"]))
        #expect(arguments(vnc: VNCDisplay(number: 5)).contains("vnc,port=5905"))
    }

    @Test func `The seed is the second disk, and the installation image a disc`() {
        let words = arguments(seed: "/l/seed.iso", medium: "/m.iso")
        #expect(
            words.filter { $0.hasPrefix("path=") } == [
                "path=/out/disk.raw,bus=virtio,format=raw", "path=/l/seed.iso,bus=virtio,format=raw,readonly=on",
                "path=/m.iso,device=cdrom,format=raw,readonly=on",
            ])
    }
}

/// Runs nothing of libvirt: notes what it is told and plays the machine.
private final class RecordingRunner: CommandRunning {
    enum Play: Sendable {
        case finishes
        case restarts
        case fails
        /// Runs until its machine is switched off.
        case hangs
        /// Runs whatever happens to its machine, which libvirt does not know.
        case isStuck
    }

    private let real = CommandRunner(helper: builtExecutable())
    private let play: Play
    private let isRemovable: Bool
    private let seen = Mutex<[String]>([])
    private let isOff = Atomic(false)

    init(_ play: Play, isRemovable: Bool = true) {
        self.play = play
        self.isRemovable = isRemovable
    }

    var calls: [String] { seen.withLock { $0 } }

    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        guard command.name == "virsh" else { return try await real.run(command, onLine: onLine) }
        // After "-c URI".
        seen.withLock { $0.append("virsh " + command.arguments[2]) }
        switch command.arguments[2] {
        case "domstate":
            let state = play == .restarts ? "shut off (destroyed)" : "shut off (shutdown)"
            return CommandResult(ending: .exited(0), standardOutput: Array(state.utf8))
        case "destroy":
            isOff.store(true, ordering: .relaxed)
            return CommandResult(ending: .exited(0))
        case "undefine" where play == .isStuck:
            return CommandResult(ending: .exited(1), lastLines: ["error: failed to get domain 'x'"])
        case "undefine":
            return isRemovable
                ? CommandResult(ending: .exited(0))
                : CommandResult(ending: .exited(1), lastLines: ["error: failed to connect to the hypervisor"])
        default: return CommandResult(ending: .exited(1))
        }
    }

    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value {
        guard command.name == "virt-install" else {
            return try await real.withRunning(command, onLine: onLine, body: body)
        }
        seen.withLock { $0.append("virt-install") }
        for argument in command.arguments where argument.hasPrefix("file,path=") {
            try Scratch.write(SerialMatcher.installationFinished + "\n", FilePath(String(argument.dropFirst(10))))
        }
        let play = play
        let process = RunningCommand(
            processIdentifier: 1,
            exit: {
                while play == .isStuck || play == .hangs && !self.isOff.load(ordering: .relaxed) {
                    try await Task.sleep(for: .milliseconds(10))
                }
                return CommandResult(
                    ending: .exited(play == .fails ? 1 : 0), lastLines: play == .fails ? ["ERROR no libvirt"] : [])
            }, stop: {})
        let value = try await body(process)
        try Task.checkCancellation()
        return value
    }
}

@Suite(.enabled(if: access("/usr/bin/virt-install", X_OK) == 0 && access("/usr/bin/virsh", X_OK) == 0))
struct LibvirtInstallationTests {
    /// Runs the step with libvirt played; returns what failed and what happened to the lease.
    private func install(
        _ runner: RecordingRunner, cancelAfter: Duration? = nil, grace: Duration = .seconds(30)
    ) async throws -> (failure: (any Error)?, isSettled: Bool, warnings: [String]) {
        let settled = Mutex(false)
        nonisolated(unsafe) var outcome: (any Error)?
        var warnings: [String] = []
        try await TinyInstaller.with(runner: runner) { installer in
            installer.action.hypervisor = .libvirt
            installer.environment.installClocks?.noProgress = .seconds(2)
            installer.environment.installClocks?.shutdownGrace = grace
            installer.environment.leaseDomain = {
                LibvirtLease(domain: LibvirtDomain(name: "image-factory-test")) { settled.withLock { $0 = true } }
            }
            let running = installer
            let task = Task { try await running.run() }
            if let cancelAfter {
                try await Task.sleep(for: cancelAfter)
                task.cancel()
            }
            do { try await task.value } catch { outcome = error }
            warnings = installer.events.warnings
        }
        return (outcome, settled.withLock { $0 }, warnings)
    }

    @Test func `A machine that finished is asked how it ended, then undefined`() async throws {
        let runner = RecordingRunner(.finishes)
        let (failure, isSettled, warnings) = try await install(runner)
        // Nothing has written it.
        #expect((failure as? FactoryError)?.message.contains("the disk has no partition table") == true)
        #expect(runner.calls == ["virt-install", "virsh domstate", "virsh destroy", "virsh undefine"])
        #expect(isSettled)
        #expect(warnings == ["the installing machine is libvirt's and reaches whatever this host does"])
    }

    @Test func `A machine that restarted at its end has failed, and is undefined`() async throws {
        let runner = RecordingRunner(.restarts)
        let (failure, isSettled, _) = try await install(runner)
        #expect(
            (failure as? FactoryError)?.message
                == "the installation failed: it restarted at its end, though it should have switched itself off")
        #expect(runner.calls.suffix(2) == ["virsh destroy", "virsh undefine"])
        #expect(isSettled)
    }

    @Test func `What virt-install says is told, and its machine undefined`() async throws {
        let runner = RecordingRunner(.fails)
        let (failure, isSettled, _) = try await install(runner)
        #expect((failure as? FactoryError)?.message == "virt-install failed: ERROR no libvirt")
        #expect(runner.calls == ["virt-install", "virsh destroy", "virsh undefine"])
        #expect(isSettled)
    }

    @Test func `A machine that does nothing is destroyed`() async throws {
        let runner = RecordingRunner(.hangs)
        let (failure, isSettled, _) = try await install(runner)
        #expect(
            (failure as? FactoryError)?.message.hasPrefix("the installation failed: it did nothing for 2.0") == true)
        #expect(
            runner.calls == ["virt-install", "virsh screenshot", "virsh destroy", "virsh destroy", "virsh undefine"])
        #expect(isSettled)
    }

    @Test func `A cancelled installation destroys its machine`() async throws {
        let runner = RecordingRunner(.hangs)
        let (failure, isSettled, _) = try await install(runner, cancelAfter: .milliseconds(1500))
        #expect(failure is CancellationError)
        #expect(runner.calls.suffix(2) == ["virsh destroy", "virsh undefine"])
        #expect(isSettled)
    }

    @Test func `A machine that cannot be undefined stays written down`() async throws {
        let runner = RecordingRunner(.finishes, isRemovable: false)
        let (_, isSettled, warnings) = try await install(runner)
        #expect(!isSettled)
        #expect(
            warnings.last == "libvirt may still have the machine image-factory-test; the next start tries again")
    }

    @Test func `A machine that virt-install may still be about to define stays written down`() async throws {
        let runner = RecordingRunner(.isStuck)
        let (failure, isSettled, warnings) = try await install(runner, grace: .seconds(1))
        #expect(
            (failure as? FactoryError)?.message.hasPrefix("the installation failed: it did nothing for 2.0") == true)
        #expect(runner.calls.suffix(2) == ["virsh destroy", "virsh undefine"])
        #expect(!isSettled)
        #expect(
            warnings.last == "libvirt may still have the machine image-factory-test; the next start tries again")
    }
}
