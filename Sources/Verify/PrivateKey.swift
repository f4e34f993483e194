/// Private keys as text (RFC 7468 and OpenSSH's own form): a header line, then base64.
enum PrivateKey {
    static let mark = Array("PRIVATE KEY-----".utf8)
    private static let begin = Array("-----BEGIN ".utf8)

    /// Whether the bytes have a header with a key behind it. The header alone, as programs have it to compare with, is
    /// no key.
    static func isIn(_ bytes: [UInt8]) -> Bool {
        var at = 0
        while at + mark.count <= bytes.count {
            guard let found = bytes[at...].firstIndex(of: mark[0]) else { return false }
            if bytes[found...].starts(with: mark), isKey(bytes, markAt: found) { return true }
            at = found + 1
        }
        return false
    }

    /// Whether the mark at this place ends a header, and a key follows.
    static func isKey(_ bytes: [UInt8], markAt at: Int) -> Bool {
        let before = bytes[max(0, at - 32)..<at]
        guard let start = before.indices.last(where: { before[$0...].starts(with: begin) }),
            before[(start + begin.count)...].allSatisfy({
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 == 0x20
            })
        else { return false }
        let body = bytes[(at + mark.count)...].prefix(256)
        // Lines of headers (Proc-Type) may come first in an encrypted one.
        guard body.first == 0x0a || body.first == 0x0d else { return false }
        let text = body.drop { $0 == 0x0a || $0 == 0x0d }
        if text.starts(with: Array("Proc-Type:".utf8)) { return true }
        return text.prefix(32).allSatisfy(isBase64) && text.count >= 32
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
