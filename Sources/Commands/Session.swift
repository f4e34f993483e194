import ArgumentParser
import FactoryCore
import Glibc
import Model
import SystemPackage

/// Runs a command's work so that it ends well: signals cancel it, and failures are shown in one form.
enum Session {
    /// Throws the exit status, so that the argument parser ends the process with it.
    static func run(
        _ renderer: (any EventRenderer)? = nil, tail: TailKeeper? = nil, grace: Duration = .seconds(9),
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let stopping: @Sendable () -> Void = { renderer?.stopping() }
        let status = await SignalTrap.run(grace: grace, stopping: stopping) {
            do {
                try await body()
                renderer?.finish()
                return 0
            } catch {
                renderer?.finish()
                guard !(error is CancellationError), !Task.isCancelled else { throw CancellationError() }
                FailureReport(error, tail: tail?.failed).write()
                return FailureReport.status(of: error)
            }
        }
        guard status == 0 else { throw ExitCode(status) }
    }

    /// What a command prints: its result, which must not be lost unnoticed. A reader that has seen enough is no failure.
    static func tell(_ text: String) throws {
        if TextOutput(descriptor: 1).write(text) { return }
        let number = errno
        guard number != EPIPE else { return }
        throw FactoryError(.inputOutput, "cannot write to standard output: \(Errno(rawValue: number))")
    }

    static func warn(_ message: String) {
        _ = TextOutput(descriptor: 2).write("warning: " + Printable.line(message, unicode: true) + "\n")
    }

    /// A line for the person at the terminal, apart from what a command prints.
    static func note(_ message: String) {
        _ = TextOutput(descriptor: 2).write(Printable.line(message, unicode: true) + "\n")
    }
}
