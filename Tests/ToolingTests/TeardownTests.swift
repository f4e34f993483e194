import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Tooling

/// However a run ends, nothing of it is left.
@Suite struct TeardownTests {
    private let runner = CommandRunner(helper: builtExecutable())

    /// A sleep time that no other process has, to find the processes of a test by.
    private func mark(_ number: Int) -> String { "\(number)\(getpid())" }

    /// A command with a second process in a session of its own.
    private func sleeper(_ mark: String, _ containment: Containment?) -> Command {
        Command("sh", ["-c", "setsid sleep \(mark) & sleep \(mark)"], containment: containment)
    }

    @Test func `Cancelling the task ends a contained command and all it started at once`() async throws {
        let mark = mark(81)
        let task = Task { try await runner.run(sleeper(mark, Containment())) }
        #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: true))
        let clock = ContinuousClock()
        let start = clock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ProcessTable.count(withArgument: mark) == 0)
        #expect(clock.now - start < .seconds(3))
    }

    @Test func `A relay for a guest ends with its containment`() async throws {
        let mark = mark(79)
        let containment = Containment(network: .relayed(socket: "/mnt/\(mark).sock"), workSize: .mebi(1))
        let task = Task { try await runner.run(sleeper(mark, containment)) }
        #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: true))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ProcessTable.count(withArgument: mark) == 0)
    }

    @Test func `Cancelling the task ends a command that is not contained`() async throws {
        let mark = mark(82)
        let task = Task { try await runner.run(Command("sh", ["-c", "sleep \(mark); true"])) }
        #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: true))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: false))
    }

    @Test func `A task that is cancelled before it begins starts nothing`() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await runner.run(Command("true"))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test(arguments: [nil, Containment()])
    func `A command that takes too long is ended and fails`(containment: Containment?) async throws {
        let mark = mark(containment == nil ? 83 : 80)
        var command = Command("sleep", [mark], containment: containment)
        command.timeout = .milliseconds(300)
        let error = await #expect(throws: FactoryError.self) { try await runner.run(command) }
        #expect(error?.message == "sleep did not end within 0.3 seconds")
        #expect(ProcessTable.count(withArgument: mark) == 0)
    }

    @Test func `When the body ends, so does the running command`() async throws {
        let mark = mark(84)
        let value = try await runner.withRunning(sleeper(mark, Containment())) { _, _ in
        } body: { (running) async throws -> Int in
            #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: true))
            #expect(kill(running.processIdentifier, 0) == 0)
            return 5
        }
        #expect(value == 5)
        #expect(ProcessTable.count(withArgument: mark) == 0)
    }

    @Test func `When the body throws, the running command ends and the error comes out`() async throws {
        let mark = mark(85)
        await #expect(throws: FactoryError.self) {
            try await runner.withRunning(sleeper(mark, Containment())) { _, _ in
            } body: { _ in
                throw FactoryError(.failed, "enough")
            }
        }
        #expect(ProcessTable.count(withArgument: mark) == 0)
    }

    @Test(arguments: [nil, Containment()])
    func `A running command can be ended and tells how it went`(containment: Containment?) async throws {
        let ending = try await runner.withRunning(Command("sleep", [mark(86)], containment: containment)) { _, _ in
        } body: { running in
            running.terminate()
            return try await running.waitUntilExit().ending
        }
        #expect(ending == .signalled(SIGTERM) || ending == .signalled(SIGKILL))
    }

    @Test func `A containment that cannot be set up is the error, whatever the body makes of it`() async throws {
        let bind = Containment.Bind(source: "/nonexistent", target: "/mnt/x")
        let containment = Containment(workSize: .mebi(1), binds: [bind])
        let error = await #expect(throws: FactoryError.self) {
            try await runner.withRunning(Command("true", containment: containment)) { _, _ in
            } body: { _ in
                try await Task.sleep(for: .milliseconds(200))
                throw FactoryError(.failed, "no answer")
            }
        }
        #expect(error?.message == "containment: cannot open /nonexistent: No such file or directory")
    }

    @Test(arguments: ["KILL", "TERM", "INT"])
    func `A signal to the outermost process ends the whole containment`(signal: String) async throws {
        let mark = mark(87) + signal.utf8.map { "\($0)" }.joined()
        try await runner.withRunning(sleeper(mark, Containment())) { _, _ in
        } body: { running in
            #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: true))
            _ = try await runner.runChecked(
                Command("kill", ["-\(signal)", "\(running.processIdentifier)"]), activity: "killing")
            _ = try await running.waitUntilExit()
            #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: false))
        }
    }

    /// The driver holds the lifeline, as image-factory does, and cannot clean up.
    @Test func `Nothing is left when the process that holds the lifeline is killed`() async throws {
        let mark = mark(88)
        try await TemporaryFolder.with { folder in
            let script = """
                mkfifo "$1"; "$0" __contain -- sh -c "setsid sleep $2 & sleep $2" < "$1" & exec 3> "$1"; wait
                """
            let pipe = folder.path.appending("lifeline").string
            let driver = Command("sh", ["-c", script, builtExecutable().string, pipe, mark])
            try await runner.withRunning(driver) { _, _ in
            } body: { running in
                #expect(try await ProcessTable.waitUntil(anyWithArgument: "sleep\0\(mark)", is: true))
                #expect(kill(running.processIdentifier, SIGKILL) == 0)
                _ = try await running.waitUntilExit()
                #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: false))
            }
        }
    }

    @Test func `Many runs at once are all ended by one cancellation`() async throws {
        let mark = mark(89)
        let task = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<12 { group.addTask { _ = try await runner.run(sleeper(mark, Containment())) } }
                try await group.waitForAll()
            }
        }
        #expect(try await ProcessTable.waitUntil(anyWithArgument: mark, is: true))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ProcessTable.count(withArgument: mark) == 0)
    }
}
