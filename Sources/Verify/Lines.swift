/// Lines of configuration files.
enum Lines {
    /// Those that are neither empty nor comments, without the space around them. What is not UTF-8 is replaced.
    static func of(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0x0a).compactMap { raw in
            let text = trimmed(String(decoding: raw.prefix(65536), as: UTF8.self))
            return text.isEmpty || text.hasPrefix("#") ? nil : text
        }
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }

    static func words(_ text: some StringProtocol) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map { String($0) }
    }

    /// Whether a URL in the line has a user and a password.
    static func hasCredentials(_ line: String) -> Bool {
        var rest = Substring(line)
        while let at = rest.firstRange(of: "://") {
            rest = rest[at.upperBound...]
            let authority = rest.prefix { $0 != "/" && !$0.isWhitespace && $0 != "\"" && $0 != "'" }
            if let sign = authority.lastIndex(of: "@"), authority[..<sign].contains(":") { return true }
        }
        return false
    }

    /// Whether there is a MAC address in the line: six pairs of digits with colons between.
    static func hasMAC(_ line: String) -> Bool {
        line.split { !($0.isHexDigit || $0 == ":") }.contains { word in
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            return parts.count == 6 && parts.allSatisfy { $0.count == 2 }
        }
    }

    /// A value without its quotes, from `KEY=value`.
    static func value(_ key: String, in lines: [String]) -> String? {
        guard let line = lines.last(where: { $0.hasPrefix(key + "=") }) else { return nil }
        return String(line.dropFirst(key.count + 1)).filter { $0 != "\"" && $0 != "'" }
    }

    /// Whether it is a machine id: 32 hexadecimal digits.
    static func isMachineID(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.count == 32
            && bytes.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20)
            }
    }
}
