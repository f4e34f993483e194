/// Where bytes come from, and which they are if that is known before.
package struct Source: Hashable, Sendable, Codable {
    package enum Scheme: String, Hashable, Sendable, Codable, CaseIterable {
        case file
        case http
        case https
        case rsync
    }

    package var scheme: Scheme
    /// As it is asked for; for a file of the host its absolute path.
    package var location: String
    /// Nil: nothing is known of the bytes until they are there.
    package var digest: Digest?

    package init(_ scheme: Scheme, _ location: String, digest: Digest? = nil) {
        self.scheme = scheme
        self.location = location
        self.digest = digest
    }

    /// An absolute path, or a URI of a known scheme. Nil if it is neither, or says nothing of where.
    ///
    /// A `file:` URI may have percent escapes and names no other host than this one.
    package init?(parsing text: String, digest: Digest? = nil) {
        guard !text.isEmpty,
            text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) || text.first == "/"
        else { return nil }
        if text.hasPrefix("/") {
            self.init(.file, text, digest: digest)
            return
        }
        guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<colon].lowercased()) else {
            return nil
        }
        let rest = text[text.index(after: colon)...]
        if scheme == .file {
            guard let path = Self.path(rest) else { return nil }
            self.init(.file, path, digest: digest)
            return
        }
        guard rest.hasPrefix("//"), let first = rest.dropFirst(2).first, !"/?#:".contains(first) else { return nil }
        self.init(scheme, text, digest: digest)
    }

    /// The path of `/path`, `///path` or `//localhost/path`.
    private static func path(_ rest: Substring) -> String? {
        var path = rest
        if path.hasPrefix("//") {
            path = path.dropFirst(2)
            if path.hasPrefix("localhost/") { path = path.dropFirst("localhost".count) }
        }
        guard path.hasPrefix("/") else { return nil }
        return unescaped(path)
    }

    private static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                value != 0
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
