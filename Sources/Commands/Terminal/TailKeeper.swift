package import Model
import Synchronization

/// The last lines of a step's log.
package struct LogTail: Hashable, Sendable {
    package var step: String
    package var lines: [String]

    package init(step: String, lines: [String]) {
        self.step = step
        self.lines = lines
    }
}

/// Keeps the last lines of every step's log, to be shown when a step fails.
package final class TailKeeper: EventRenderer {
    private struct State {
        var lines: [String: [String]] = [:]
        var failed: String?
    }

    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int = 20) { self.limit = limit }

    package func consume(_ event: BuildEvent) {
        state.withLock { state in
            switch event.kind {
            case .log(let step, let line):
                var lines = state.lines.removeValue(forKey: step) ?? []
                // Two limits' worth before lines are moved: one move for many lines.
                if lines.count >= 2 * limit { lines.removeFirst(lines.count - limit + 1) }
                lines.append(line)
                state.lines[step] = lines
            case .finished(let step, .failed, _): state.failed = state.failed ?? step
            case .finished(let step, _, _): state.lines[step] = nil
            default: break
            }
        }
    }

    package func finish() {}

    /// The end of the log of the step that failed first.
    package var failed: LogTail? {
        state.withLock { state in
            state.failed.map { LogTail(step: $0, lines: (state.lines[$0] ?? []).suffix(limit)) }
        }
    }

    /// The end of the log of a step that runs or failed.
    package func tail(of step: String) -> LogTail {
        state.withLock { LogTail(step: step, lines: ($0.lines[step] ?? []).suffix(limit)) }
    }
}
