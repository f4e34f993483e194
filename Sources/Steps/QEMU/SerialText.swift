/// Takes terminal escape sequences (ECMA-48) out of a stream of bytes.
struct EscapeFilter: Sendable {
    private enum State { case text, escape, sequence, string }
    private var state = State.text
    private let movesEndLines: Bool

    /// - Parameter movesEndLines: whether what moves the cursor to another place becomes the end of a line.
    init(movesEndLines: Bool = false) { self.movesEndLines = movesEndLines }

    /// The byte, unless it is part of an escape sequence.
    mutating func filter(_ byte: UInt8) -> UInt8? {
        switch state {
        case .text:
            guard byte == 0x1b else { return byte }
            state = .escape
        case .escape:
            switch byte {
            case UInt8(ascii: "["): state = .sequence
            case UInt8(ascii: "]"), UInt8(ascii: "P"): state = .string
            case 0x20...0x2f: break
            default: state = .text
            }
        case .sequence:
            guard !(0x20...0x3f).contains(byte) else { break }
            state = .text
            if movesEndLines, "HfABEFdJ".utf8.contains(byte) { return 0x0a }
        case .string:
            // It ends with BEL or ESC \; a line break ends it too, so that a stray one does not hide the rest.
            if byte == 0x07 || byte == 0x0a { state = .text } else if byte == 0x1b { state = .escape }
        }
        return nil
    }
}

/// Text of a serial console for people.
enum SerialText {
    /// One line, with control characters as `\xNN`.
    static func printable(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for scalar in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars {
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                let digits = String(scalar.value, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The last lines of a console, printable, without empty ones.
    static func lastLines(_ bytes: [UInt8], count: Int) -> [String] {
        var escape = EscapeFilter()
        let plain = bytes.compactMap { escape.filter($0) }.filter { $0 != 0x0d }
        return plain.split(separator: 0x0a).suffix(count).map { printable($0.prefix(512)) }
    }
}
