import Model

/// Draws a build for a terminal: the lines that scroll up for good, and the area below them that is drawn anew.
/// Values in, lines out.
struct LiveView: Sendable {
    let verbosity: Verbosity
    private let color: Bool
    private let unicode: Bool
    private let glyphs: Glyphs
    /// Wider terminals get no wider lines: the eye loses the row.
    private static let widest = 100

    init(traits: TerminalTraits, verbosity: Verbosity) {
        self.verbosity = verbosity
        color = traits.color
        unicode = traits.unicode
        glyphs = Glyphs(unicode: traits.unicode)
    }

    /// Something that scrolls up for good.
    enum Note: Sendable {
        case finished(BuildState.StepState)
        case log(step: String, line: String)
        case warning(step: String?, message: String)
        case told(String)
        /// Lines that were dropped because the terminal took none.
        case omitted(Int)
    }

    /// What the event adds to the permanent lines; `state` has it already.
    func note(of event: BuildEvent, _ state: BuildState) -> Note? {
        switch event.kind {
        case .finished(let step, let outcome, _):
            guard verbosity != .quiet || outcome == .failed else { return nil }
            return state.step(step).map { .finished($0) }
        case .log(let step, let line): return verbosity == .verbose ? .log(step: step, line: line) : nil
        case .warning(let step, let message): return .warning(step: step, message: message)
        case .note(let message): return verbosity == .quiet ? nil : .told(message)
        default: return nil
        }
    }

    /// A note as one line. Messages are not shortened: the terminal wraps them.
    func line(_ note: Note, _ state: BuildState, columns: Int) -> String {
        switch note {
        case .finished(let step): finished(step, state, columns: columns).rendered(color: color)
        case .log(let step, let line): log(step, line, state)
        case .warning(let step, let message): warning(step, message)
        case .told(let message): text(message)
        case .omitted(let count): StyledText("\(glyphs.ellipsis) \(count) lines not shown", .dim).rendered(color: color)
        }
    }

    /// The area below the permanent lines at the time `now` (seconds since 1970): the running steps, and the state of
    /// the whole in the last line. Never wider or higher than the terminal.
    func frame(_ state: BuildState, _ size: TerminalSize, now: Double) -> [String] {
        guard verbosity != .quiet, let start = state.start, !state.hasEnded else { return [] }
        let running = state.running
        let width = min(size.columns, Self.widest)
        // One row for the state, one for the cursor.
        let rows = max(1, size.rows - 2)
        let shown = running.count <= rows ? running : Array(running.prefix(rows - 1))
        let layout = RowLayout(running: shown, state: state, width: width, now: now)
        var lines: [StyledText] = []
        for step in shown {
            lines.append(row(step, layout, now: now))
            if verbosity != .verbose, running.count * 2 < rows, let last = lastLine(step, layout) { lines.append(last) }
        }
        if shown.count < running.count { lines.append(StyledText("  and \(running.count - shown.count) more", .dim)) }
        lines.append(overall(state, width: width, elapsed: now - start))
        return lines.map { $0.clipped(to: size.columns).rendered(color: color) }
    }

    private func row(_ step: BuildState.StepState, _ layout: RowLayout, now: Double) -> StyledText {
        let turn = Int((now * 10).truncatingRemainder(dividingBy: Double(glyphs.spinner.count)))
        var line = StyledText(glyphs.spinner[max(0, turn)], .cyan)
        line.append(" ")
        line.append(name(step.name, layout), .bold)
        line.append("  ")
        let activity = text(step.activity.isEmpty ? step.title : step.activity)
        let room = step.progress == nil ? layout.room : layout.activity
        line.append(TextWidth.shorten(activity, columns: room, ellipsis: glyphs.ellipsis))
        if let progress = step.progress {
            line.pad(to: layout.barStart)
            if layout.bar > 0, let fraction = progress.fraction {
                line.append(glyphs.bar(fraction, columns: layout.bar))
            }
            let amount = layout.usesShortAmount ? progress.shortText : progress.text
            line.pad(to: layout.amountEnd - TextWidth.of(amount))
            if layout.amount > 0 { line.append(text(amount)) }
        }
        line.append(elapsed: Elapsed.whole(now - (step.start ?? now)), width: layout.width)
        return line
    }

    private func lastLine(_ step: BuildState.StepState, _ layout: RowLayout) -> StyledText? {
        // A line may be of any length: only what could be seen is looked at.
        guard let raw = step.lastLine else { return nil }
        let line = Printable.lastState(String(raw.unicodeScalars.prefix(layout.width * 8)), unicode: unicode)
        guard !line.allSatisfy(\.isWhitespace) else { return nil }
        let room = layout.width - layout.indent
        return StyledText(
            String(repeating: " ", count: layout.indent)
                + TextWidth.shorten(line, columns: room, ellipsis: glyphs.ellipsis), .dim)
    }

    private func overall(_ state: BuildState, width: Int, elapsed: Double) -> StyledText {
        let done = state.steps.filter { $0.outcome == .succeeded || $0.outcome == .reused }.count
        let reused = state.steps.filter { $0.outcome == .reused }.count
        var line = StyledText("  ")
        line.append("\(done)/\(state.steps.count) steps", .bold)
        if reused > 0 { line.append("\(glyphs.separator)\(reused) reused", .dim) }
        if state.isStopping { line.append("\(glyphs.separator)stopping\(glyphs.ellipsis)", .yellow) }
        line.append(elapsed: Elapsed.whole(elapsed), width: width)
        return line
    }

    private func finished(_ step: BuildState.StepState, _ state: BuildState, columns: Int) -> StyledText {
        let outcome = step.outcome ?? .cancelled
        let layout = RowLayout(running: [], state: state, width: min(columns, Self.widest), now: 0)
        let time = Elapsed.exact(step.seconds)
        let right =
            switch outcome {
            case .succeeded: time
            case .reused: "reused"
            case .failed: "failed after \(time)"
            case .cancelled: "cancelled"
            }
        var line = glyphs.mark(outcome)
        line.append(" ")
        line.append(name(step.name, layout), outcome == .failed ? .alarm : outcome == .reused ? .plain : .bold)
        line.append("  ")
        let room = layout.width - line.width - TextWidth.of(right) - 2
        let title = text(step.title.isEmpty ? step.activity : step.title)
        if room >= 4 {
            line.append(
                TextWidth.shorten(title, columns: room, ellipsis: glyphs.ellipsis), outcome == .reused ? .dim : .plain)
        }
        line.append(elapsed: right, width: layout.width)
        return line.clipped(to: columns)
    }

    private func log(_ step: String, _ line: String, _ state: BuildState) -> String {
        let layout = RowLayout(running: [], state: state, width: Self.widest, now: 0)
        var result = StyledText(name(step, layout) + (unicode ? " │ " : " | "), .dim)
        result.append(text(line))
        return result.rendered(color: color)
    }

    private func warning(_ step: String?, _ message: String) -> String {
        var line = StyledText("warning:", .yellow)
        line.append(" " + (step.map { text($0) + ": " } ?? "") + text(message))
        return line.rendered(color: color)
    }

    private func name(_ name: String, _ layout: RowLayout) -> String {
        let short = TextWidth.shorten(text(name), columns: layout.name, ellipsis: glyphs.ellipsis)
        return TextWidth.pad(short, columns: layout.name)
    }

    private func text(_ raw: String) -> String { Printable.line(raw, unicode: unicode) }
}

extension StyledText {
    /// A time at the right edge.
    fileprivate mutating func append(elapsed: String, width: Int) {
        pad(to: width - TextWidth.of(elapsed))
        append(elapsed, .dim)
    }
}
