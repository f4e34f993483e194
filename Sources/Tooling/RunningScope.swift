import Model
import Synchronization

/// The time between the start of a program and its end. The task that waits for the program is one of its own, so
/// that the program can be ended without the task that uses it; the scope never returns before it.
final class RunningScope: Sendable {
    private let launch: Launch
    private let recorder: OutputRecorder
    private let isLate = Atomic(false)

    init(launch: Launch, recorder: OutputRecorder) {
        self.launch = launch
        self.recorder = recorder
    }

    func run<Value: Sendable>(_ body: (RunningCommand) async throws -> Value) async throws -> Value {
        let (starts, start) = AsyncStream.makeStream(of: Int32.self)
        let waiting = Task {
            defer { start.finish() }
            return try await launch.run(recorder: recorder) { start.yield($0) }
        }
        let stop: @Sendable () -> Void = { [launch] in
            launch.lifeline?.cut()
            waiting.cancel()
        }
        let clock = startClock(stop)
        defer { clock?.cancel() }
        return try await withTaskCancellationHandler {
            do {
                let running = try await started(starts, waiting: waiting, stop: stop)
                let value = try await body(running)
                stop()
                _ = await waiting.result
                try Task.checkCancellation()
                return value
            } catch {
                stop()
                _ = await waiting.result
                try Task.checkCancellation()
                throw error
            }
        } onCancel: {
            stop()
        }
    }

    private func startClock(_ stop: @escaping @Sendable () -> Void) -> Task<Void, any Error>? {
        launch.command.timeout.map { limit in
            Task {
                try await Task.sleep(for: limit)
                isLate.store(true, ordering: .sequentiallyConsistent)
                stop()
            }
        }
    }

    /// Waits until the program runs, or throws what kept it from running.
    private func started(
        _ starts: AsyncStream<Int32>, waiting: Task<CommandResult, any Error>, stop: @escaping @Sendable () -> Void
    ) async throws -> RunningCommand {
        var identifier: Int32?
        for await started in starts {
            identifier = started
            break
        }
        guard let identifier else {
            _ = try await waiting.value
            throw CancellationError()
        }
        return RunningCommand(
            processIdentifier: identifier, exit: { try await self.result(of: waiting) }, stop: stop)
    }

    private func result(of waiting: Task<CommandResult, any Error>) async throws -> CommandResult {
        let result = try await waiting.value
        guard isLate.load(ordering: .sequentiallyConsistent), let limit = launch.command.timeout else { return result }
        let last = result.lastLines.last.map { "; its last line: \($0)" } ?? ""
        throw FactoryError(.failed, "\(launch.command.name) did not end within \(limit)\(last)")
    }
}
