package import Crypto

/// A SHA-256 digest: the name under which content, steps and definitions are known.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let hex: String

    /// The digest with these hexadecimal digits, or nil if they are not 64 of them. A leading `sha256:` is accepted.
    package init?(_ text: String) {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        guard digits.utf8.count == 64, digits.allSatisfy({ $0.isHexDigit && $0.isASCII }) else { return nil }
        hex = digits.lowercased()
    }

    /// The digest of bytes in memory.
    package init(of bytes: some Sequence<UInt8>) {
        var hash = SHA256()
        hash.update(data: Array(bytes))
        self.init(hash.finalize())
    }

    package init(_ value: SHA256.Digest) {
        hex = Hexadecimal.string(value)
    }

    package var description: String { "sha256:" + hex }

    /// The 32 bytes of the digest.
    package var bytes: [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).map { at in
            Hexadecimal.value(digits[at]) << 4 | Hexadecimal.value(digits[at + 1])
        }
    }

    /// A digest for one purpose made from this one, so that ids which must differ do.
    package func derived(_ purpose: String) -> Digest {
        Digest(of: Array((hex + "\u{0}" + purpose).utf8))
    }

    /// A version 8 UUID (RFC 9562: custom) made from the digest's first 16 bytes, in lower case.
    package var uuid: String {
        var value = Array(bytes.prefix(16))
        value[6] = value[6] & 0x0f | 0x80
        value[8] = value[8] & 0x3f | 0x80
        let text = Array(Hexadecimal.string(value))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(text[$0]) }.joined(separator: "-")
    }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Digest(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a SHA-256 digest"))
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Lower-case hexadecimal text.
package enum Hexadecimal {
    package static func string(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func value(_ digit: UInt8) -> UInt8 {
        digit >= UInt8(ascii: "a") ? digit - UInt8(ascii: "a") + 10 : digit - UInt8(ascii: "0")
    }
}
