import Model

/// Tells a build in lines that are never taken back, for log files. Events in, lines out.
struct PlainTranscript: Sendable {
    private let verbosity: Verbosity
    private let unicode: Bool
    private let ellipsis: String
    private var state = BuildState()
    private var told: [String: Told] = [:]

    /// When and how far a step was last reported.
    private struct Told {
        var time: Double
        var done: UInt64 = 0
        var fraction = 0.0
    }

    private static let interval = 10.0
    private static let share = 0.25

    init(verbosity: Verbosity, unicode: Bool) {
        self.verbosity = verbosity
        self.unicode = unicode
        ellipsis = Glyphs(unicode: unicode).ellipsis
    }

    mutating func lines(for event: BuildEvent) -> [String] {
        state.apply(event)
        guard let text = text(for: event) else { return [] }
        return [
            "[\(Elapsed.stamp(event.time - (state.start ?? event.time)))s] " + Printable.line(text, unicode: unicode)
        ]
    }

    /// The line that says the build was asked to stop.
    func stopping() -> String? { verbosity == .quiet ? nil : "stopping \(ellipsis)" }

    private mutating func text(for event: BuildEvent) -> String? {
        switch event.kind {
        case .warning(let step, let message):
            return (step.map { "\($0): " } ?? "") + "warning: \(message)"
        case .finished(let step, let outcome, let seconds):
            return verbosity == .quiet && outcome != .failed ? nil : "\(step): \(Self.end(outcome, seconds))"
        case _ where verbosity == .quiet: return nil
        case .planned(let steps): return "\(steps.count) steps"
        case .started(let step, let activity):
            told[step] = Told(time: event.time)
            return "\(step): \(activity) \(ellipsis)"
        case .progress(let step, let done, let total, let unit):
            return progress(step, Progress(done: done, total: total, unit: unit), event.time)
        case .log(let step, let line): return verbosity == .verbose ? "\(step) | \(line)" : nil
        case .note(let message): return message
        case .ended(let outcome, let seconds): return "build: \(Self.end(outcome, seconds))"
        }
    }

    /// A line every ten seconds, or every quarter if a quarter takes more than a second.
    private mutating func progress(_ step: String, _ progress: Progress, _ time: Double) -> String? {
        let last = told[step] ?? Told(time: time)
        told[step] = last
        let fraction = progress.fraction ?? 0
        let waited = time - last.time
        let isQuarter = waited >= 1 && fraction - last.fraction >= Self.share && fraction < 1
        guard isQuarter || waited >= Self.interval, progress.done != last.done else { return nil }
        told[step] = Told(time: time, done: progress.done, fraction: fraction)
        guard let percentage = progress.percentage, progress.unit != "%" else { return "\(step): \(progress.text)" }
        return "\(step): \(percentage) (\(progress.text))"
    }

    private static func end(_ outcome: BuildEvent.Outcome, _ seconds: Double) -> String {
        switch outcome {
        case .succeeded: "done in \(Elapsed.exact(seconds))"
        case .reused: "reused"
        case .failed: "failed after \(Elapsed.exact(seconds))"
        case .cancelled: "cancelled after \(Elapsed.exact(seconds))"
        }
    }
}
