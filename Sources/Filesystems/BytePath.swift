/// A path inside an image: any bytes but NUL, absolute.
package struct BytePath: Hashable, Sendable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The names from the root on; none for the root itself.
    package let names: [[UInt8]]

    package init(_ names: [[UInt8]]) { self.names = names }

    package init(_ text: String) {
        names = text.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
    }

    package init(stringLiteral text: String) { self.init(text) }

    package var last: [UInt8] { names.last ?? [] }

    package var parent: BytePath { BytePath(names.dropLast()) }

    package func appending(_ name: [UInt8]) -> BytePath { BytePath(names + [name]) }

    /// Whether it is `other` or lies below it.
    package func isInside(_ other: BytePath) -> Bool { names.starts(with: other.names) }

    /// For people, in one line: bytes that are not printable ASCII stand as `\xNN`, so that every path has a text of
    /// its own.
    package var description: String { "/" + names.map(Self.text).joined(separator: "/") }

    /// Bytes for people, in the same form.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        var text = ""
        for byte in bytes {
            if byte > 0x1f, byte < 0x7f, byte != UInt8(ascii: "\\") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return text
    }

    package static func < (left: BytePath, right: BytePath) -> Bool {
        for (one, other) in zip(left.names, right.names) where one != other {
            return one.lexicographicallyPrecedes(other)
        }
        return left.names.count < right.names.count
    }
}
