/// Cuts the bytes of a program's output into lines that are safe to show and to keep.
///
/// LF, CR LF and CR end a line; a CR that ends nothing, as progress displays write it, does not make an empty one.
/// Escape sequences for colours and the cursor are dropped, other control characters except tab become `\xNN`.
struct LineSplitter: Sendable {
    /// Bytes of a line that are kept; the rest of it is replaced with `…`.
    static let limit = 8192

    /// Stands at the end of a line that was cut.
    static let cutMark = Array("…".utf8)

    private var pending: [UInt8] = []
    private var isCut = false
    private var followsReturn = false

    /// Takes the next bytes and returns the lines that they complete.
    mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            switch byte {
            case 0x0a:
                if !followsReturn || !pending.isEmpty { lines.append(takeLine()) }
                followsReturn = false
            case 0x0d:
                if !pending.isEmpty {
                    lines.append(takeLine())
                    followsReturn = true
                }
            default:
                followsReturn = false
                if pending.count < Self.limit { pending.append(byte) } else { isCut = true }
            }
        }
        return lines
    }

    /// The last line, if it has no end.
    mutating func finish() -> String? { pending.isEmpty ? nil : takeLine() }

    private mutating func takeLine() -> String {
        defer {
            pending.removeAll(keepingCapacity: true)
            isCut = false
        }
        return Self.printable(pending) + (isCut ? "…" : "")
    }

    static func printable(_ bytes: [UInt8]) -> String {
        var text = ""
        var scalars = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            if scalar == "\u{1b}", scalars.first == "[" {
                scalars.removeFirst()
                scalars = scalars.drop { (0x20...0x3f).contains($0.value) }.dropFirst()
            } else if scalar != "\t", scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
