import CLinux
import Glibc
import Model
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into cancellation. What was asked to stop gets time to clean up; a second signal,
/// or the end of that time, ends the process at once.
package enum SignalTrap {
    /// Runs the body. The result is the exit status: the body's own, or 128 and the signal's number (130, 143, 129) when
    /// one came before the body's end. An error that the body throws without a signal is shown on stderr and gives its
    /// code. A signal that this process was started to ignore (nohup, `&` in a script) stays ignored. To be used once
    /// at a time.
    ///
    /// - Parameters:
    ///   - grace: how long the body may take to end after the first signal.
    ///   - stopping: called once, from another thread, when the first signal comes.
    package static func run(
        grace: Duration = .seconds(10), stopping: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable () async throws -> Int32
    ) async -> Int32 {
        // Signals are heard before the body runs, and wait in the pipe until there is a task to cancel.
        let watch = SignalWatch(grace: grace)
        let task = Task { try await body() }
        watch.start {
            task.cancel()
            stopping()
        }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        if let signal = watch.end() { return 128 + signal }
        switch result {
        case .success(let status): return status
        case .failure(is CancellationError): return 128 + SIGINT
        case .failure(let error):
            FailureReport(error).write()
            return FailureReport.status(of: error)
        }
    }
}

/// A thread that hears of signals through a pipe. Handlers and not a blocked mask: children inherit a mask.
private final class SignalWatch: Sendable {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    /// Never closed: a handler may still be writing when the default action is back.
    private static let pipe = WakePipe()
    private let first = Atomic<Int32>(0)
    private let grace: Duration
    private let thread = Mutex<BackgroundThread?>(nil)

    init(grace: Duration) {
        self.grace = grace
        guard Self.pipe.isOpen else { return }
        for signal in Self.signals { _ = if_trap_signal(signal, Self.pipe.writer) }
    }

    func start(onFirst: @escaping @Sendable () -> Void) {
        guard Self.pipe.isOpen else { return }
        thread.withLock { $0 = BackgroundThread { [self] in watch(onFirst) } }
    }

    /// The signal that came, if one did. From here on signals have their default action.
    func end() -> Int32? {
        for signal in Self.signals { _ = if_untrap_signal(signal) }
        Self.pipe.send(0)
        thread.withLock { $0.take() }?.join()
        let signal = first.load(ordering: .acquiring)
        return signal == 0 ? nil : signal
    }

    private func watch(_ onFirst: () -> Void) {
        guard let signal = next(until: nil) else { return }
        first.store(signal, ordering: .releasing)
        onFirst()
        let limit = ContinuousClock.now + grace
        switch next(until: limit) {
        case nil where ContinuousClock.now < limit: return
        case let second: Self.endProcess(second ?? signal)
        }
    }

    /// The next signal; nil at the word to end, or when the time is over.
    private func next(until limit: ContinuousClock.Instant?) -> Int32? {
        while true {
            var wait: Int32 = -1
            if let limit {
                let left = ContinuousClock.now.duration(to: limit)
                guard left > .zero else { return nil }
                wait = Int32(
                    clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
            }
            if let byte = Self.pipe.next(milliseconds: wait) { return byte == 0 ? nil : Int32(byte) }
        }
    }

    private static func endProcess(_ signal: Int32) -> Never {
        TerminalCursor.restore()
        _exit(128 + signal)
    }
}
