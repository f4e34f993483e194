import Engine
import Synchronization

/// Counts what apt and dpkg say into a bar: packages are downloaded, unpacked, then set up.
final class BootstrapProgress: Sendable {
    private let report: StepReport
    private let state = Mutex(State())

    private struct State {
        var total: UInt64 = 0
        var done: UInt64 = 0
    }

    init(_ report: StepReport) { self.report = report }

    func see(_ line: String) {
        let now = state.withLock { state -> State? in
            // "0 upgraded, 143 newly installed, 0 to remove and 0 not upgraded."
            if let range = line.range(of: " newly installed") {
                let count = line[..<range.lowerBound].split(separator: " ").last.flatMap { UInt64($0) } ?? 0
                state.total += 2 * count
            } else if line.hasPrefix("Unpacking ") || line.hasPrefix("Setting up ") {
                state.done += 1
            } else {
                return nil
            }
            return state
        }
        guard let now, now.total > 0 else { return }
        report.progress(min(now.done, now.total), of: now.total, unit: "packages")
    }
}

extension String {
    /// The first place where a text occurs.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        guard let first = text.first else { return nil }
        var at = startIndex
        while let found = self[at...].firstIndex(of: first) {
            if self[found...].hasPrefix(text) { return found..<index(found, offsetBy: text.count) }
            at = index(after: found)
        }
        return nil
    }
}
