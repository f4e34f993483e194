import Glibc
import Model
import Testing

@testable import Commands

/// Each test runs in a process of its own: signals belong to processes.
@Suite struct SignalTrapTests {
    @Test func `Without a signal the body's status is the result`() async {
        await #expect(processExitsWith: .exitCode(7)) { exit(await SignalTrap.run { 7 }) }
    }

    @Test func `SIGINT cancels the body and gives 130`() async {
        await #expect(processExitsWith: .exitCode(130)) {
            let status = await SignalTrap.run {
                kill(getpid(), SIGINT)
                try await Task.sleep(for: .seconds(60))
                return 0
            }
            exit(status)
        }
    }

    @Test func `SIGTERM gives 143, also when the body ends well`() async {
        await #expect(processExitsWith: .exitCode(143)) {
            let status = await SignalTrap.run {
                kill(getpid(), SIGTERM)
                try? await Task.sleep(for: .seconds(60))
                return 0
            }
            exit(status)
        }
    }

    @Test func `A second signal ends the process at once`() async {
        await #expect(processExitsWith: .exitCode(143)) {
            let status = await SignalTrap.run(grace: .seconds(60)) {
                kill(getpid(), SIGINT)
                try? await Task.sleep(for: .seconds(60))
                kill(getpid(), SIGTERM)
                sleep(60)
                return 0
            }
            exit(status)
        }
    }

    @Test func `A body that does not stop is ended after its time`() async {
        await #expect(processExitsWith: .exitCode(130)) {
            let status = await SignalTrap.run(grace: .milliseconds(100)) {
                kill(getpid(), SIGINT)
                sleep(60)
                return 0
            }
            exit(status)
        }
    }

    @Test func `A process that is ended at once shows the cursor again`() async throws {
        let result = await #expect(processExitsWith: .exitCode(130), observing: [\.standardErrorContent]) {
            TerminalCursor.hide(STDERR_FILENO)
            let status = await SignalTrap.run(grace: .milliseconds(50)) {
                kill(getpid(), SIGINT)
                sleep(60)
                return 0
            }
            exit(status)
        }
        let written = try #require(result?.standardErrorContent)
        #expect(String(decoding: written, as: UTF8.self).hasSuffix("\u{1b}[?25l\u{1b}[?7h\u{1b}[?25h"))
    }

    @Test func `An ignored signal stays ignored`() async {
        await #expect(processExitsWith: .exitCode(5)) {
            signal(SIGHUP, SIG_IGN)
            let status = await SignalTrap.run {
                kill(getpid(), SIGHUP)
                try await Task.sleep(for: .milliseconds(200))
                return 5
            }
            exit(status)
        }
    }

    @Test func `The first signal is told once`() async {
        await #expect(processExitsWith: .exitCode(3)) {
            _ = await SignalTrap.run(stopping: { exit(3) }) {
                kill(getpid(), SIGTERM)
                try await Task.sleep(for: .seconds(60))
                return 0
            }
        }
    }

    @Test func `After the trap a signal has its default action`() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            _ = await SignalTrap.run { 0 }
            kill(getpid(), SIGTERM)
            sleep(10)
        }
    }

    @Test func `An error of the body gives its code`() async {
        await #expect(processExitsWith: .exitCode(66)) {
            exit(await SignalTrap.run { throw FactoryError(.missingInput, "there is no such file") })
        }
    }
}
