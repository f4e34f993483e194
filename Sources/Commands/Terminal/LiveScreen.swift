/// What has to be written so that a terminal shows new permanent lines and a new area below them. It knows how the
/// last area lies on the screen; the cursor is left in the first column of the row below the area.
struct LiveScreen: Sendable {
    private var shown: [String] = []
    private var widths: [Int] = []
    private var columns = 0

    /// Nothing is written where nothing changed.
    mutating func update(permanent: [String], frame: [String], columns: Int) -> String {
        guard !permanent.isEmpty || frame != shown || columns != self.columns else { return "" }
        var text = moveUp(columns: columns)
        // Permanent lines may be longer than the terminal is wide: it shall wrap them, and reflow them later.
        if !permanent.isEmpty { text += Self.clearBelow }
        for line in permanent { text += line + "\n" }
        if !frame.isEmpty { text += Self.wrapOff }
        // Cleared before: after a line of full width the cursor stands on its last character.
        for line in frame { text += Self.clearToEndOfLine + line + "\n" }
        if !frame.isEmpty { text += Self.wrapOn }
        text += Self.clearBelow
        shown = frame
        widths = frame.map { TextWidth.of(Printable.line($0)) }
        self.columns = columns
        return text
    }

    /// To the first row of the area. A terminal that got narrower has wrapped the area's lines.
    private func moveUp(columns: Int) -> String {
        let rows = widths.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
        return rows == 0 ? "\r" : "\r\u{1b}[\(rows)A"
    }

    private static let clearToEndOfLine = "\u{1b}[K"
    private static let clearBelow = "\u{1b}[J"
    /// A width that was estimated too small must not make a second row: the last cell is overwritten instead.
    private static let wrapOff = "\u{1b}[?7l"
    private static let wrapOn = "\u{1b}[?7h"
}
