/// What a guest's request names, in the one form that the cache and the rules know: lower-case host, a path without
/// needless escapes and without ways up.
package struct ProxyURL: Hashable, Sendable, CustomStringConvertible {
    package private(set) var isSecure: Bool
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    package private(set) var host: String
    package private(set) var port: UInt16
    /// With the query; it starts with `/`.
    package private(set) var path: String

    /// Nil for what is no http: or https: URL of a plain form: with an account, odd characters, or `..` in its path.
    package init?(_ text: String) {
        let lowercased = text.prefix(8).lowercased()
        guard lowercased.hasPrefix("http://") || lowercased == "https://" else { return nil }
        isSecure = lowercased == "https://"
        let rest = text.dropFirst(isSecure ? 8 : 7)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard let authority = Self.authority(rest[..<end]) else { return nil }
        host = authority.host
        port = authority.port ?? (isSecure ? 443 : 80)
        let tail = rest[end...].prefix { $0 != "#" }
        guard let path = Self.normalized(tail.hasPrefix("/") ? String(tail) : "/" + tail) else { return nil }
        self.path = path
    }

    /// Of a request that came to a server (RFC 9112, section 3.3): by its Host field, or an absolute target.
    init?(target: String, host: String?) {
        if target.hasPrefix("/") {
            guard let host, !host.isEmpty, !host.contains("/"), !host.contains("?"), !host.contains("#") else {
                return nil
            }
            self.init("http://\(host)\(target)")
        } else {
            self.init(target)
        }
    }

    package var description: String { (isSecure ? "https://" : "http://") + place }

    /// Without the scheme: `deb.debian.org/debian/dists`, with the port where it is not the usual one.
    var place: String { host + (port == (isSecure ? 443 : 80) ? "" : ":\(port)") + path }

    /// The same over TLS, for a host whose port is the usual one.
    var upgraded: ProxyURL {
        var copy = self
        guard !isSecure, port == 80 else { return copy }
        copy.isSecure = true
        copy.port = 443
        return copy
    }

    private static func authority(_ text: Substring) -> (host: String, port: UInt16?)? {
        var name = text
        var port: UInt16?
        let afterBracket = text.lastIndex(of: "]").map { text[$0...] } ?? text
        if let colon = afterBracket.lastIndex(of: ":") {
            let digits = text[text.index(after: colon)...]
            guard let number = UInt16(digits), number > 0, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            port = number
            name = text[..<colon]
        }
        var bare = name[...]
        if bare.hasPrefix("["), bare.hasSuffix("]") {
            bare = bare.dropFirst().dropLast()
            guard bare.contains(":"), bare.utf8.allSatisfy({ "0123456789abcdefABCDEF:.".utf8.contains($0) }) else {
                return nil
            }
        } else {
            guard !bare.isEmpty, bare.utf8.count <= 253,
                bare.utf8.allSatisfy({ byte in
                    (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-._".utf8.contains(byte)
                }), bare.first != "-"
            else { return nil }
        }
        // A name with a dot at its end is the same name.
        let host = name.lowercased()
        return (host.count > 1 && host.hasSuffix(".") ? String(host.dropLast()) : host, port)
    }

    /// Escapes of characters that need none are taken back (apt escapes `+`, others do not).
    private static func normalized(_ path: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(path.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte > 0x20, byte < 0x7f else { return nil }
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, !digits.hasPrefix("+"), let value = UInt8(digits, radix: 16) else {
                return nil
            }
            rest = rest.dropFirst(2)
            let isPlain =
                (0x61...0x7a).contains(value | 0x20) || (0x30...0x39).contains(value) || "-._~+".utf8.contains(value)
            bytes += isPlain ? [value] : Array("%\(digits.uppercased())".utf8)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let folders = text.prefix { $0 != "?" }.split(separator: "/")
        return folders.contains("..") ? nil : text
    }
}

/// Where requests for some URLs really go: `deb.debian.org/debian` to `http://mirror.example.org/debian`.
package struct MirrorRule: Hashable, Sendable {
    /// Without the scheme and without a slash at the end.
    package var origin: String
    package var replacement: ProxyURL

    /// Nil if either is no place.
    package init?(origin: String, replacement: String) {
        guard let place = ProxyURL("http://" + origin), let target = ProxyURL(replacement) else { return nil }
        self.origin = Self.trimmed(place.place)
        self.replacement = target
    }

    /// The URL to ask instead; nil if the rule is not about this one.
    func apply(to url: ProxyURL) -> ProxyURL? {
        guard let rest = Self.rest(of: url.place, below: origin) else { return nil }
        return ProxyURL(Self.trimmed(replacement.description) + rest)
    }

    /// Whether a URL is one of the replacement's own.
    func covers(_ url: ProxyURL) -> Bool {
        url.isSecure == replacement.isSecure && Self.rest(of: url.place, below: Self.trimmed(replacement.place)) != nil
    }

    private static func rest(of place: String, below prefix: String) -> Substring? {
        guard place.hasPrefix(prefix) else { return nil }
        let rest = place.dropFirst(prefix.count)
        return rest.isEmpty || rest.hasPrefix("/") ? rest : nil
    }

    private static func trimmed(_ text: String) -> String { text.hasSuffix("/") ? String(text.dropLast()) : text }
}
