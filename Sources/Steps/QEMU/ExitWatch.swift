import Synchronization
import Tooling

/// Tells, without waiting, whether a program has ended.
final class ExitWatch: Sendable {
    private let outcome = Mutex<Result<CommandResult, any Error>?>(nil)

    init(_ process: RunningCommand) {
        Task {
            let result: Result<CommandResult, any Error>
            do {
                result = .success(try await process.waitUntilExit())
            } catch {
                result = .failure(error)
            }
            self.outcome.withLock { $0 = result }
        }
    }

    var isRunning: Bool { outcome.withLock { $0 == nil } }

    /// How it ended, once it has. Throws what kept it from being run.
    func result() throws -> CommandResult? { try outcome.withLock { $0 }?.get() }

    /// Waits for the end. Returns whether it came in time.
    func wait(for limit: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while isRunning {
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }
}
