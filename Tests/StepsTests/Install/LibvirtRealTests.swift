import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// With real daemons, which scripts/with-libvirt starts.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_LIBVIRT") != nil), .timeLimit(.minutes(10)))
struct LibvirtRealTests {
    private func machines(_ more: String...) async throws -> [Substring] {
        let list = LibvirtDomain(name: "").virsh(["list", "--all", "--name"] + more)
        let result = try await CommandRunner().runChecked(list, activity: "asking for the machines")
        return result.text.split(separator: "\n").filter { $0.hasPrefix("image-factory-") }
    }

    private static let clocks = GuestClocks(
        total: .seconds(500), noProgress: .seconds(300), shutdownGrace: .seconds(30))

    @Test func `virt-install lets the tiny installer install, and leaves no machine`() async throws {
        try await TinyInstaller.with { installer in
            installer.action.hypervisor = .libvirt
            installer.environment.installClocks = Self.clocks
            try await installer.run()
            #expect(try installer.record().saidFinished)
            let log = try installer.text(installer.output.appending("installer.log"))
            #expect(log.contains("answers: /tiny.cfg 2 lines"))
            #expect(try await machines() == [])
        }
    }

    @Test func `A panic is told, and no machine is left`() async throws {
        try await TinyInstaller.with("panic") { installer in
            installer.action.hypervisor = .libvirt
            installer.environment.installClocks = Self.clocks
            let error = try #require(await #expect(throws: FactoryError.self) { try await installer.run() })
            #expect(error.message.hasPrefix("the installation failed: the kernel panicked: "))
            #expect(Scratch.names(installer.evidence).contains("last-lines.txt"))
            #expect(try await machines() == [])
        }
    }

    @Test func `UEFI firmware starts the installer too, and its variables go with the machine`() async throws {
        try await TinyInstaller.with { installer in
            installer.action.hypervisor = .libvirt
            installer.action.firmware = .uefi
            installer.environment.installClocks = Self.clocks
            try await installer.run()
            #expect(try installer.record().saidFinished)
            #expect(try await machines() == [])
            let variables = Scratch.names("/var/lib/libvirt/qemu/nvram").filter { $0.hasPrefix("image-factory-") }
            #expect(variables == [])
        }
    }

    @Test func `Kernel and initrd come out of an ISO image, which the machine has as a disc`() async throws {
        try await TinyInstaller.with(kind: .autoinstall) { installer in
            let image = installer.folder.appending("medium.iso")
            try await CommandRunner().runChecked(
                Command(
                    "xorriso",
                    [
                        "-outdev", image.string, "-map", TinyInstaller.kernel.string, "/casper/vmlinuz", "-map",
                        TinyInstaller.initrd.string, "/casper/initrd",
                    ]), activity: "making an image")
            let digest = Digest(of: Array("image".utf8))
            installer.action.medium = .image(digest)
            installer.environment.sources = [digest: image]
            installer.action.hypervisor = .libvirt
            installer.environment.installClocks = Self.clocks
            try await installer.run()
            #expect(try installer.record().saidFinished)
            #expect(try await machines() == [])
        }
    }

    @Test func `A build that is killed leaves a machine, and the next start takes it away`() async throws {
        try await Scratch.with { scratch in
            let folder = scratch.path
            // libvirt's machines are another user's processes.
            chmod(folder.string, 0o755)
            let environment = ["XDG_CACHE_HOME": folder.appending("cache").string]
            try Scratch.write(TinyInstaller.answers, folder.appending("tiny.cfg"))
            try Scratch.write(
                """
                name: tiny
                version: "1"
                os: {distribution: debian, release: 13}
                base:
                  netinstall:
                    kernel: \(TinyInstaller.kernel)
                    initrd: \(TinyInstaller.initrd)
                    preseed: tiny.cfg
                    append: quiet tiny=hang
                    memory: 256M
                    hypervisor: libvirt
                disk: {size: 64M, firmware: bios}
                outputs: [raw]
                boot_check: false

                """, folder.appending("tiny.yaml"))
            let words = [
                "build", "--plain", folder.appending("tiny.yaml").string, "-o", folder.appending("out").string,
            ]
            let build = Task {
                try await CommandRunner().run(
                    Command(builtExecutable().string, words, environment: environment, timeout: .seconds(400)))
            }
            // virt-install makes the machine permanent when it runs.
            var left: [Substring] = []
            let deadline = ContinuousClock.now + .seconds(300)
            repeat {
                try await Task.sleep(for: .milliseconds(500))
                left = try await machines("--persistent")
            } while left.isEmpty && ContinuousClock.now < deadline && !Self.processes(words).isEmpty
            for process in Self.processes(words) { kill(process, SIGKILL) }
            let result = try await build.value
            #expect(result.ending == .signalled(SIGKILL), "\(result.lastLines)")
            #expect(left.count == 1)
            #expect(try await machines() == left)
            let ledger = folder.appending("cache/image-factory/ledger")
            #expect(Scratch.names(ledger).count == 1)
            try await CommandRunner().runChecked(
                Command(
                    builtExecutable().string, ["prune", "--size", "1G"], environment: environment,
                    timeout: .seconds(120)),
                activity: "starting once more")
            #expect(try await machines() == [])
            #expect(Scratch.names(ledger) == [])
        }
    }

    /// The processes of this program with these arguments.
    private static func processes(_ words: [String]) -> [pid_t] {
        let line = ([builtExecutable().string] + words).joined(separator: "\0")
        return Scratch.names("/proc").compactMap { pid_t($0) }.filter {
            (try? Scratch.read(FilePath("/proc/\($0)/cmdline")))?.hasPrefix(line) == true
        }
    }
}
