import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Tooling

@Suite struct ContainmentTests {
    private let runner = CommandRunner(helper: builtExecutable())

    private func shell(_ script: String, _ containment: Containment) -> Command {
        Command("sh", ["-c", script], containment: containment, timeout: .seconds(60))
    }

    @Test(arguments: [("exit 0", 0), ("exit 7", 7), ("exit 125", 125)] as [(String, Int32)])
    func `The exit status of a contained command passes through`(script: String, status: Int32) async throws {
        let result = try await runner.run(shell(script, Containment()))
        #expect(result.ending == .exited(status))
    }

    @Test(arguments: [SIGKILL, SIGTERM, SIGSEGV])
    func `The signal that ends a contained command passes through`(signal: Int32) async throws {
        let result = try await runner.run(shell("kill -\(signal) $$", Containment()))
        #expect(result.ending == .signalled(signal))
    }

    @Test func `The contained root is the caller or nobody's id on the host`() async throws {
        let result = try await runner.run(Command("cat", ["/proc/self/uid_map"], containment: Containment()))
        let fields = result.text.split(separator: " ").compactMap { UInt32($0) }
        #expect(fields == [0, Containment.hostIdentity, geteuid() == 0 ? 65536 : 1])
    }

    @Test(.enabled(if: geteuid() == 0)) func `Run by root, all capabilities end at the namespace`() async throws {
        let result = try await runner.run(shell("echo x > /proc/sys/kernel/domainname; cat /etc/shadow", Containment()))
        #expect(!result.succeeded)
        #expect(result.text.isEmpty)
    }

    @Test func `Without a network there is loopback only, and it is up`() async throws {
        let result = try await runner.run(Command("cat", ["/proc/net/dev"], containment: Containment(network: .none)))
        let interfaces = result.text.split(separator: "\n").dropFirst(2).compactMap { $0.split(separator: ":").first }
        #expect(interfaces.map { $0.drop { $0 == " " } } == ["lo"])
        let routes = try await runner.run(
            Command("cat", ["/proc/net/fib_trie"], containment: Containment(network: .none)))
        #expect(routes.text.contains("127.0.0.1"))
    }

    @Test func `The work space is at /mnt, as large as asked for, and gone afterwards`() async throws {
        let containment = Containment(workSize: .mebi(4))
        let script = "echo $TMPDIR; head -c 3000000 /dev/zero > $TMPDIR/a && head -c 3000000 /dev/zero > /mnt/b"
        let result = try await runner.run(shell(script, containment))
        #expect(result.text == "/mnt/tmp")
        #expect(!result.succeeded)
        #expect(result.lastLines.contains { $0.contains("No space left") })
        #expect(access("/mnt/b", F_OK) != 0)
    }

    @Test func `A read-only bind can be read and not written, also when only its owner may read it`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("secret", to: "input")
            chmod(folder.path.string, 0o700)
            chmod(folder.path.appending("input").string, 0o600)
            let bind = Containment.Bind(source: folder.path, target: "/mnt/deep/in")
            let containment = Containment(workSize: .mebi(1), binds: [bind])
            let script = "cat /mnt/deep/in/input; echo no > /mnt/deep/in/input"
            let result = try await runner.run(shell(script, containment))
            #expect(result.text == "secret")
            #expect(result.lastLines.contains { $0.contains("Read-only file system") })
        }
    }

    @Test func `A file that was handed over can be written through a bind`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("", to: "output")
            let output = folder.path.appending("output")
            try Containment.handOver(output)
            let bind = Containment.Bind(source: output, target: "/mnt/out", writable: true)
            let result = try await runner.run(
                shell("echo done > /mnt/out", Containment(workSize: .mebi(1), binds: [bind])))
            #expect(result.succeeded)
            #expect(try folder.read("output") == "done\n")
        }
    }

    @Test func `A bind below /mnt is seen although /mnt is covered`() async throws {
        let name = "image-factory-test-\(getpid())"
        try #require(mkdir("/mnt/\(name)", 0o755) == 0)
        defer { rmdir("/mnt/\(name)") }
        let bind = Containment.Bind(source: FilePath("/mnt/\(name)"), target: "/mnt/here")
        let result = try await runner.run(
            Command("ls", ["/mnt"], containment: Containment(workSize: .mebi(1), binds: [bind])))
        #expect(result.text == "here\ntmp")
    }

    @Test func `A bind outside of the work space needs a place that exists`() async throws {
        let bind = Containment.Bind(source: "/usr", target: "/nonexistent-place")
        await #expect(throws: FactoryError.self) {
            try await runner.run(Command("true", containment: Containment(workSize: .mebi(1), binds: [bind])))
        }
        #expect(access("/nonexistent-place", F_OK) != 0)
    }

    @Test func `Standard input is the file that was named, else empty`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("hello", to: "in")
            let containment = Containment(standardInput: folder.path.appending("in"))
            #expect(try await runner.run(Command("cat", containment: containment)).text == "hello")
            #expect(try await runner.run(Command("cat", containment: Containment())).text == "")
        }
    }

    @Test func `Limits, folder and session are set`() async throws {
        let limits = Containment.Limits(
            addressSpace: .gibi(1), processorTime: .seconds(9), fileSize: .mebi(2), niceness: 5)
        let containment = Containment(workingDirectory: "/usr", limits: limits)
        let script = "ulimit -v; ulimit -t; ulimit -f; ulimit -c; nice; pwd; umask; cut -d' ' -f1,6 /proc/$$/stat"
        let lines = try await runner.run(shell(script, containment)).text.split(separator: "\n")
        #expect(lines == ["1048576", "9", "4096", "0", "5", "/usr", "0022", "2 2"])
    }

    @Test func `A process sees those of its containment only, and gains no privileges`() async throws {
        let script = "ls /proc | grep -c '^[0-9]'; grep NoNewPrivs /proc/self/status"
        let result = try await runner.run(shell(script, Containment()))
        #expect(result.text.split(separator: "\n").first.flatMap { Int($0) } ?? 99 <= 4)
        #expect(result.text.hasSuffix("NoNewPrivs:\t1"))
    }

    @Test func `Background processes end with the command`() async throws {
        let mark = "\(700_000 + Int(getpid()))"
        let result = try await runner.run(shell("setsid sleep \(mark) > /dev/null 2>&1 &", Containment()))
        #expect(result.succeeded)
        #expect(ProcessTable.count(withArgument: mark) == 0)
    }
}
