import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// Whole installations by the tiny installer, of each kind and with each failure: minutes without KVM, so they are part
/// of `make e2e-netinstall`.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_E2E") != nil), .timeLimit(.minutes(10)))
struct InstallStepLongTests {
    private static let foreign = "nothing that says it is done\n"

    @Test(arguments: [AnswerFile.Kind.kickstart, .autoyast, .autoinstall])
    func `Each kind of answers reaches its installer`(kind: AnswerFile.Kind) async throws {
        try await TinyInstaller.with(kind: kind) { installer in
            try await installer.run()
            #expect(try installer.record().saidFinished)
        }
    }

    @Test(arguments: [
        ("casper/vmlinuz", "casper/initrd", AnswerFile.Kind.autoinstall),
        ("install.amd/vmlinuz", "install.amd/initrd.gz", .preseed),
    ]) func `Kernel and initrd come out of an ISO image`(kernel: String, initrd: String, kind: AnswerFile.Kind)
        async throws
    {
        try await TinyInstaller.with(kind: kind) { installer in
            let image = installer.folder.appending("medium.iso")
            try await iso(image, [(TinyInstaller.kernel, kernel), (TinyInstaller.initrd, initrd)])
            let digest = Digest(of: Array("image".utf8))
            installer.action.medium = .image(digest)
            installer.environment.sources = [digest: image]
            try await installer.run()
            #expect(try installer.record().saidFinished)
        }
    }

    @Test func `An image without an installer's kernel is refused with the places that were tried`() async throws {
        try await TinyInstaller.with { installer in
            let image = installer.folder.appending("medium.iso")
            try await iso(image, [(TinyInstaller.kernel, "boot/vmlinuz")])
            let digest = Digest(of: Array("image".utf8))
            installer.action.medium = .image(digest)
            installer.environment.sources = [digest: image]
            let error = try #require(await #expect(throws: FactoryError.self) { try await installer.run() })
            #expect(
                error.message.hasPrefix("the installation image has no kernel of an installer: tried casper/vmlinuz"))
            #expect(error.message.contains("boot/x86_64/loader/linux with boot/x86_64/loader/initrd"))
        }
    }

    private func iso(_ image: FilePath, _ files: [(FilePath, String)]) async throws {
        let maps = files.flatMap { ["-map", $0.0.string, "/" + $0.1] }
        try await CommandRunner().runChecked(
            Command("xorriso", ["-outdev", image.string] + maps), activity: "making an image")
    }

    @Test func `A question of the installer ends the installation, as nobody can answer`() async throws {
        try await TinyInstaller.with("question") { installer in
            let error = try await installer.fail()
            #expect(
                error.message
                    == "the installation failed: a step of the installer failed: An installation step failed. You can try again."
            )
        }
    }

    @Test func `UEFI firmware starts the installer too`() async throws {
        try await TinyInstaller.with { installer in
            installer.action.firmware = .uefi
            try await installer.run()
            #expect(try installer.record().saidFinished)
        }
    }

    @Test func `An installer that ends without a word has failed, if its answers have the word`() async throws {
        try await TinyInstaller.with("silent") { installer in
            let error = try await installer.fail()
            #expect(error.message == "the installation failed: it switched itself off before it was done")
        }
    }

    @Test func `A restart is no end for answers that say that they are done`() async throws {
        try await TinyInstaller.with("restart") { installer in
            let error = try await installer.fail()
            #expect(
                error.message
                    == "the installation failed: it restarted at its end, though it should have switched itself off")
        }
    }

    @Test func `Answers without the word end with the power, and a disk that can boot`() async throws {
        try await TinyInstaller.with(answers: Self.foreign) { installer in
            try await installer.run()
            let record = try installer.record()
            #expect(!record.saidFinished)
            #expect(record.ending == .powerOff)
        }
    }

    @Test func `Answers without the word may end with a restart`() async throws {
        try await TinyInstaller.with("restart", answers: Self.foreign) { installer in
            try await installer.run()
            #expect(try installer.record().ending == .restart)
        }
    }

    @Test func `A disk without boot code is no installed system`() async throws {
        try await TinyInstaller.with("bare", answers: Self.foreign) { installer in
            let error = try await installer.fail()
            #expect(
                error.message == "the installation failed: it switched itself off and left a disk without boot code")
            #expect(Scratch.names(installer.evidence).contains("screen.png"))
        }
    }

    @Test func `An empty disk is no installed system`() async throws {
        try await TinyInstaller.with("early", answers: Self.foreign) { installer in
            let error = try await installer.fail()
            #expect(error.message.hasPrefix("the installation failed: it switched itself off and left no system"))
        }
    }

    @Test func `A console without end does not end the installation, and is not shown whole`() async throws {
        try await TinyInstaller.with("spam") { installer in
            try await installer.run()
            let log = try installer.text(installer.output.appending("installer.log"))
            #expect(log.split(separator: "\r\n").count > 12000)
            #expect(installer.events.lines.count < 8000)
            #expect(installer.events.lines.contains { $0.contains("lines are in the installer's log only") })
        }
    }

    @Test func `An installer that takes too long is given up`() async throws {
        try await TinyInstaller.with("hang") { installer in
            installer.environment.installClocks?.total = .seconds(6)
            let error = try await installer.fail()
            #expect(error.message == "the installation failed: it did not end within 6.0 seconds")
        }
    }

    @Test func `A host whose disk is full is told apart from a guest's`() async throws {
        try await TinyInstaller.with(runner: FullHost()) { installer in
            let error = try await installer.fail()
            #expect(
                error.message
                    == "the installation failed: its disk could not be written; the host's disk may be full")
            #expect(error.remedy?.hasPrefix("free some space for the store") == true)
        }
    }

    @Test func `The display is shown at the port that was asked for`() async throws {
        try await TinyInstaller.with("hang") { installer in
            installer.environment.vnc = VNCDisplay(host: "localhost", number: 417)
            let running = installer
            let task = Task { try await running.run() }
            defer { task.cancel() }
            var greeting: [UInt8] = []
            for _ in 0..<200 where greeting.isEmpty {
                try await Task.sleep(for: .milliseconds(100))
                greeting = Self.read(12, from: 5900 + 417)
            }
            #expect(String(decoding: greeting, as: UTF8.self) == "RFB 003.008\n")
            task.cancel()
            _ = await task.result
            #expect(Self.read(12, from: 5900 + 417) == [])
        }
    }

    /// What a port of 127.0.0.1 says first; nothing if nobody listens.
    private static func read(_ count: Int, from port: UInt16) -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
        return Array(bytes.prefix(max(0, got)))
    }

    @Test func `A display that is in use is told before the machine starts`() async throws {
        try await TinyInstaller.with("hang") { installer in
            installer.environment.vnc = VNCDisplay(host: "no-such-host.invalid", number: 3)
            let error = try await installer.fail()
            #expect(error.message.hasPrefix("cannot show the installation at no-such-host.invalid port 5903: "))
        }
    }

    @Test func `A cancelled installation ends at once and leaves nothing`() async throws {
        try await TinyInstaller.with("hang") { installer in
            let running = installer
            let task = Task { try await running.run() }
            try await Task.sleep(for: .seconds(5))
            let start = ContinuousClock.now
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(Scratch.names(installer.folder.appending("logs")) == [])
            #expect(Scratch.names(installer.folder.appending("scratch")) == [])
        }
    }
}

/// Runs what it is told, but lets every write of a machine to its disk fail as on a full filesystem.
private struct FullHost: CommandRunning {
    private let runner = CommandRunner(helper: builtExecutable())

    private func changed(_ command: Command) -> Command {
        var copy = command
        let file = #""file":{"discard":"unmap","driver":"file","filename":"/mnt/disk.raw"}"#
        let full =
            #""file":{"driver":"blkdebug","image":{"driver":"file","filename":"/mnt/disk.raw"},"#
            + #""inject-error":[{"errno":28,"event":"none","iotype":"write"}]}"#
        copy.arguments = command.arguments.map { argument in
            argument.split(separator: file, omittingEmptySubsequences: false).joined(separator: full)
        }
        return copy
    }

    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        try await runner.run(changed(command), onLine: onLine)
    }

    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value {
        try await runner.withRunning(changed(command), onLine: onLine, body: body)
    }
}
