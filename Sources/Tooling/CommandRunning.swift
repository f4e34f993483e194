import Model

package enum OutputStream: String, Sendable {
    case output
    case error
}

/// Receives each line as it is complete: printable text without its line break. Calls come one at a time.
package typealias LineHandler = @Sendable (OutputStream, String) -> Void

/// The one door to other programs.
package protocol CommandRunning: Sendable {
    /// Runs a program to its end. A non-zero exit status is a result, not an error.
    ///
    /// Throws `FactoryError` if the program is not there, cannot be started or contained, or exceeds its time;
    /// `CancellationError` if the task is cancelled. However it returns, no process of the command is left.
    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult

    /// Starts a program that runs while `body` does; when `body` ends, so does the program, at once.
    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value
}

/// A program that runs for the length of a scope.
package struct RunningCommand: Sendable {
    /// On the host, of the program, or of the outermost process of its containment.
    package let processIdentifier: Int32
    private let exit: @Sendable () async throws -> CommandResult
    private let stop: @Sendable () -> Void

    package init(
        processIdentifier: Int32, exit: @escaping @Sendable () async throws -> CommandResult,
        stop: @escaping @Sendable () -> Void
    ) {
        self.processIdentifier = processIdentifier
        self.exit = exit
        self.stop = stop
    }

    /// Waits for the end of the program, however it comes. May be called by several tasks.
    package func waitUntilExit() async throws -> CommandResult { try await exit() }

    /// Ends the program and every process that it started, without waiting for that.
    package func terminate() { stop() }
}

extension CommandRunning {
    package func run(_ command: Command) async throws -> CommandResult {
        try await run(command) { _, _ in }
    }

    /// Runs a program that has to succeed. `activity` says what for: "making the root file system".
    @discardableResult
    package func runChecked(
        _ command: Command, activity: String, onLine: @escaping LineHandler = { _, _ in }
    ) async throws -> CommandResult {
        do {
            let result = try await run(command, onLine: onLine)
            guard !result.succeeded else { return result }
            let reason = result.reason.map { ": \($0)" } ?? ""
            throw FactoryError(.failed, "\(command.name) ended with \(result.ending)\(reason)")
        } catch let error as FactoryError {
            throw error.during(activity)
        }
    }
}
