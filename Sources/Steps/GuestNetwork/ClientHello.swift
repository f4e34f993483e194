/// The first message of TLS, of which only the name of the wanted server is read (RFC 8446, RFC 6066).
enum ClientHello {
    /// The name in what has come so far; nil if it is not there, or not yet.
    static func serverName(in bytes: [UInt8]) -> String? {
        var record = Cursor(bytes[...])
        // A handshake record, and in it a client's hello.
        guard record.byte() == 22, record.skip(2), let length = record.short(),
            var hello = record.take(min(length, record.count)), hello.byte() == 1, hello.skip(3),
            hello.skip(2 + 32), let session = hello.byte(), hello.skip(Int(session)),
            let ciphers = hello.short(), hello.skip(ciphers), let methods = hello.byte(), hello.skip(Int(methods)),
            let size = hello.short(), var extensions = hello.take(min(size, hello.count))
        else { return nil }
        while let type = extensions.short(), let size = extensions.short(), var body = extensions.take(size) {
            guard type == 0 else { continue }
            guard body.skip(2), body.byte() == 0, let length = body.short(), let name = body.take(length) else {
                return nil
            }
            let text = String(decoding: name.rest, as: UTF8.self)
            return !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } ? text : nil
        }
        return nil
    }

    /// Bytes that are read from the front; whatever is not there is nil.
    private struct Cursor {
        private(set) var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        var count: Int { rest.count }

        mutating func byte() -> UInt8? { rest.popFirst() }

        mutating func short() -> Int? {
            guard rest.count >= 2, let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
            return Int(high) << 8 | Int(low)
        }

        mutating func take(_ count: Int) -> Cursor? {
            guard count <= rest.count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Cursor(rest.prefix(count))
        }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }
    }
}
