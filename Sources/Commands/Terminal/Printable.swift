import Model

/// Makes text of unknown origin harmless for a terminal: nothing in it can move the cursor, change colours or
/// turn the direction of writing.
enum Printable {
    /// One line: colour sequences vanish, tabs become spaces, other control characters are shown as `\x1b`.
    static func line(_ raw: some StringProtocol, unicode: Bool = true) -> String {
        var result = String.UnicodeScalarView()
        let scalars = raw.unicodeScalars
        var at = scalars.startIndex
        while at < scalars.endIndex {
            if let end = endOfSequence(scalars, at) {
                at = end
                continue
            }
            append(scalars[at], to: &result, unicode: unicode)
            at = scalars.index(after: at)
        }
        return String(result)
    }

    /// What a terminal would show of a line that rewrites itself with carriage returns: its last state.
    static func lastState(_ raw: String, unicode: Bool = true) -> String {
        let parts = raw.unicodeScalars.split { $0 == "\r" || $0 == "\n" }
        return line(Substring(parts.last ?? Substring.UnicodeScalarView()), unicode: unicode)
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String.UnicodeScalarView, unicode: Bool) {
        switch scalar.value {
        case 0x20...0x7e: result.append(scalar)
        case 0x09: result.append(" ")
        case 0..<0x100 where scalar.value < 0xa0:
            result.append(contentsOf: ("\\x" + Hexadecimal.string([UInt8(scalar.value)])).unicodeScalars)
        case 0x200b, 0x200e, 0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff:
            result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
        case 0x2026 where !unicode: result.append(contentsOf: "...".unicodeScalars)
        default: result.append(unicode ? scalar : "?")
        }
    }

    /// The end of a control sequence (ECMA-48, 5.4: `ESC [`, parameters, a final byte) that begins here, if one does.
    private static func endOfSequence<Scalars: Collection<Unicode.Scalar>>(
        _ scalars: Scalars, _ start: Scalars.Index
    ) -> Scalars.Index? {
        guard scalars[start] == "\u{1b}" else { return nil }
        var rest = scalars[start...].dropFirst()
        guard rest.popFirst() == "[" else { return nil }
        let body = rest.drop { (0x20...0x3f).contains($0.value) }
        guard let final = body.first, (0x40...0x7e).contains(final.value) else { return nil }
        return scalars.index(after: body.startIndex)
    }
}
