import Glibc
import Model
import Synchronization
import TestSupport
import Testing

@testable import Tooling

@Suite struct CommandRunnerTests {
    private let runner = CommandRunner(
        helper: builtExecutable(), captureLimit: .kibi(64), proxies: ["http_proxy": "http://proxy:1"])

    @Test(arguments: [nil, Containment()])
    func `Lines of both streams arrive as they come, and the last ones are kept`(containment: Containment?) async throws
    {
        let seen = Mutex<[String]>([])
        let script = "for i in $(seq 25); do echo line $i; done; echo oops >&2; exit 3"
        let result = try await runner.run(Command("sh", ["-c", script], containment: containment)) { stream, line in
            seen.withLock { $0.append("\(stream.rawValue): \(line)") }
        }
        #expect(seen.withLock { $0.filter { $0.hasPrefix("output: ") } } == (1...25).map { "output: line \($0)" })
        #expect(seen.withLock { $0.contains("error: oops") })
        #expect(result.lastLines.count == 20)
        #expect(result.text.hasSuffix("line 25"))
        #expect(result.ending == .exited(3))
    }

    @Test func `A line arrives while the program still runs`() async throws {
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        let command = Command("sh", ["-c", "echo ready; exec sleep 600"], containment: Containment())
        try await runner.withRunning(command) { _, text in
            line.yield(text)
        } body: { _ in
            for await text in lines {
                #expect(text == "ready")
                break
            }
        }
    }

    @Test func `Of much output the beginning is kept`() async throws {
        let result = try await runner.run(Command("head", ["-c", "300000", "/dev/zero"]))
        #expect(result.standardOutput.count == 65536)
        #expect(result.standardOutputIsTruncated)
    }

    @Test func `All output of a large command comes through`() async throws {
        let count = Mutex(0)
        _ = try await runner.run(Command("seq", ["200000"], containment: Containment())) { _, _ in
            count.withLock { $0 += 1 }
        }
        #expect(count.withLock { $0 } == 200_000)
    }

    @Test func `The environment is fixed; proxies go to contained users of the network only`() async throws {
        func variables(_ containment: Containment?) async throws -> Set<String> {
            let command = Command("env", environment: ["OWN": "1"], containment: containment)
            return Set(try await runner.run(command).text.split(separator: "\n").map(String.init))
        }
        let fixed: Set = ["PATH=\(Command.searchPath)", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/nonexistent", "OWN=1"]
        #expect(try await variables(nil) == fixed)
        #expect(try await variables(Containment(network: .none)) == fixed)
        #expect(try await variables(Containment(network: .host)) == fixed.union(["http_proxy=http://proxy:1"]))
    }

    @Test(arguments: [nil, Containment()])
    func `A program inherits its three standard streams only`(containment: Containment?) async throws {
        let other = Command("sleep", ["600"], containment: Containment())
        try await runner.withRunning(other) { _, _ in
        } body: { _ in
            let result = try await runner.run(Command("ls", ["/proc/self/fd"], containment: containment))
            #expect(result.text == "0\n1\n2\n3")
        }
    }

    @Test func `A tool that is not there is named with its package`() async throws {
        let command = Command("mmdebstrap", environment: ["PATH": "/nonexistent"], containment: Containment())
        let error = await #expect(throws: FactoryError.self) { try await runner.run(command) }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "mmdebstrap is not installed; it makes trees of Debian and its derivatives")
        #expect(error?.remedy == "install it: apt-get install mmdebstrap")
    }

    @Test func `A program that nobody knows is named`() async throws {
        let error = await #expect(throws: FactoryError.self) { try await runner.run(Command("frobnicate")) }
        #expect(error?.message == "the program frobnicate is not installed")
    }

    @Test func `A program that is missing inside a containment is an error of the containment`() async throws {
        let command = Command("/mnt/tool", containment: Containment(workSize: .mebi(1)))
        let error = await #expect(throws: FactoryError.self) { try await runner.run(command) }
        #expect(error?.message == "containment: cannot run /mnt/tool: No such file or directory")
    }

    @Test func `A checked run fails with the activity, the status and the reason`() async throws {
        let command = Command("sh", ["-c", "echo 'E: no space'; echo bye; exit 4"])
        let error = await #expect(throws: FactoryError.self) {
            try await runner.runChecked(command, activity: "making the tree")
        }
        #expect(error?.activity == "making the tree")
        #expect(error?.message == "sh ended with exit status 4: E: no space")
    }

    @Test func `Secrets are masked in the command and its lines`() async throws {
        let command = Command("echo", ["it's", "hunter2"], environment: ["KEY": "hunter3"], secrets: ["hunter2"])
        #expect(command.description == "echo 'it'\\''s' ***")
        #expect(!String(reflecting: command).contains("hunter"))
        #expect(try await runner.run(command).lastLines == ["it's ***"])
    }

    @Test(
        arguments: [
            (["hunter2"], "hunter2\u{301} hunter2", "***\u{301} ***"), (["abc", "abcdef"], "abcdef abc", "*** ***"),
            (["a\u{1b}bc"], "x a\\x1Bbc", "x ***"), (["hunter2hunter2"], "x hunter2…", "x ***…"),
            (["hunter2"], "hunter…ed hunter", "hunter…ed hunter"), ([""], "a", "a"), (["hunter2"], "", ""),
        ])
    func `Secrets are masked however a line shows them`(secrets: [String], line: String, shown: String) {
        #expect(Command("true", secrets: secrets).masking(line) == shown)
    }
}
