/// How many cells of a terminal text takes: an estimate that is never too small for common text.
enum TextWidth {
    static func of(_ text: some StringProtocol) -> Int {
        text.unicodeScalars.reduce(0) { $0 + of($1) }
    }

    /// The longest beginning that takes at most `columns` cells; characters are never cut in two.
    static func prefix(_ text: String, columns: Int) -> String {
        var width = 0
        var end = text.startIndex
        for at in text.indices {
            width += of(String(text[at]))
            guard width <= columns else { break }
            end = text.index(after: at)
        }
        return String(text[..<end])
    }

    /// The text itself if it fits, else its beginning and an ellipsis.
    static func shorten(_ text: String, columns: Int, ellipsis: String) -> String {
        guard of(text) > columns else { return text }
        let room = columns - of(ellipsis)
        guard room > 0 else { return prefix(text, columns: columns) }
        return prefix(text, columns: room) + ellipsis
    }

    /// The text followed, or preceded, by the spaces that make it `columns` wide.
    static func pad(_ text: String, columns: Int, leading: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, columns - of(text)))
        return leading ? spaces + text : text + spaces
    }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        guard scalar.value >= 0x300 else { return 1 }
        switch scalar.properties.generalCategory {
        // Variation selector 16 makes a narrow sign a picture, which is wide.
        case .nonspacingMark, .enclosingMark, .format: return scalar.value == 0xfe0f ? 1 : 0
        default: return isWide(scalar) ? 2 : 1
        }
    }

    /// East Asian Wide and Fullwidth (UAX #11), by block, and what is drawn as a picture by itself.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x17000...0x18aff, 0x1b000...0x1b2ff,
            0x20000...0x3fffd:
            true
        default: scalar.properties.isEmojiPresentation
        }
    }
}
