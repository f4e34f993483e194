import Model

/// The characters that lines are drawn with.
struct Glyphs: Sendable {
    let spinner: [String]
    let ellipsis: String
    let separator: String
    private let succeeded: String
    private let reused: String
    private let failed: String
    private let cancelled: String
    private let isUnicode: Bool

    init(unicode: Bool) {
        isUnicode = unicode
        spinner = unicode ? "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".map { String($0) } : ["|", "/", "-", "\\"]
        ellipsis = unicode ? "…" : "..."
        separator = unicode ? " · " : ", "
        succeeded = unicode ? "✓" : "+"
        reused = unicode ? "●" : "="
        failed = unicode ? "✗" : "x"
        cancelled = unicode ? "–" : "-"
    }

    /// The mark of a finished step. It tells the outcome without colours too.
    func mark(_ outcome: BuildEvent.Outcome) -> StyledText {
        switch outcome {
        case .succeeded: StyledText(succeeded, .green)
        case .reused: StyledText(reused, .cyan)
        case .failed: StyledText(failed, .alarm)
        case .cancelled: StyledText(cancelled, .yellow)
        }
    }

    /// A bar of exactly `columns` cells, filled to `fraction` (0 to 1).
    func bar(_ fraction: Double, columns: Int) -> StyledText {
        let share = min(1, max(0, fraction))
        guard isUnicode else {
            let cells = columns - 2
            let full = Int(share * Double(cells))
            return StyledText(
                "[" + String(repeating: "#", count: full) + String(repeating: ".", count: cells - full) + "]")
        }
        let halves = Int(share * Double(columns * 2))
        let half = halves % 2 == 1
        var bar = StyledText(String(repeating: "━", count: halves / 2) + (half ? "╸" : ""), .cyan)
        bar.append(String(repeating: "─", count: columns - halves / 2 - (half ? 1 : 0)), .dim)
        return bar
    }
}
