/// One line in parts, each with a look: its width is counted before any escape sequence is added.
struct StyledText: Hashable, Sendable {
    enum Style: String, Sendable {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case alarm = "1;31"
    }

    private struct Span: Hashable {
        var text: String
        var style: Style
    }

    private var spans: [Span] = []

    init(_ text: String = "", _ style: Style = .plain) { append(text, style) }

    var width: Int { spans.reduce(0) { $0 + TextWidth.of($1.text) } }

    mutating func append(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { spans.append(Span(text: text, style: style)) }
    }

    mutating func append(_ other: StyledText) { spans += other.spans }

    /// Adds spaces until the line is `columns` wide.
    mutating func pad(to columns: Int) {
        append(String(repeating: " ", count: max(0, columns - width)))
    }

    /// The same line, cut where it gets wider than `columns`.
    func clipped(to columns: Int) -> StyledText {
        var result = StyledText()
        var room = columns
        for span in spans where room > 0 {
            let text = TextWidth.prefix(span.text, columns: room)
            result.append(text, span.style)
            room = text.count == span.text.count ? room - TextWidth.of(text) : 0
        }
        return result
    }

    /// The characters to write.
    func rendered(color: Bool) -> String {
        spans.map { span in
            color && span.style != .plain ? "\u{1b}[\(span.style.rawValue)m\(span.text)\u{1b}[0m" : span.text
        }.joined()
    }
}
