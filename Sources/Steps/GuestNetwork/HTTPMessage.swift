/// The fields of an HTTP/1 message (RFC 9112), names in lower case.
struct HTTPFields: Hashable, Sendable {
    private(set) var all: [(name: String, value: String)] = []

    init(_ fields: [(String, String)] = []) { for (name, value) in fields { append(name, value) } }

    /// The first value under a name in lower case.
    subscript(name: String) -> String? { all.first { $0.name == name }?.value }

    mutating func append(_ name: String, _ value: String) { all.append((name.lowercased(), value)) }

    static func == (one: HTTPFields, other: HTTPFields) -> Bool { one.all.elementsEqual(other.all, by: ==) }

    func hash(into hasher: inout Hasher) { for field in all { hasher.combine(field.name + ":" + field.value) } }
}

/// What a guest asks for.
struct HTTPRequest: Hashable, Sendable {
    var method: String
    /// As it was sent: `/path`, or `http://host/path` from who knows that it speaks to a proxy.
    var target: String
    /// Whether it is HTTP/1.1, where connections stay unless someone closes them.
    var isModern: Bool
    var fields: HTTPFields

    var keepsConnection: Bool {
        let wish = (fields["connection"] ?? fields["proxy-connection"])?.lowercased()
        return isModern ? wish != "close" : wish == "keep-alive"
    }

    /// Whether more than the head was sent, which no request that is served here has.
    var hasBody: Bool {
        fields["transfer-encoding"] != nil || (fields["content-length"].map { $0 != "0" } ?? false)
    }
}

/// What a server answers.
struct HTTPResponse: Hashable, Sendable {
    /// 100 to 599.
    var status: Int
    var reason: String
    var fields: HTTPFields

    /// The length that the server names; nil if it names none, or nothing that is one.
    var length: UInt64? { fields["content-length"].flatMap { UInt64($0) } }

    /// As it is sent. Values come from parsed heads or are our own: neither has line breaks.
    var bytes: [UInt8] {
        var text = "HTTP/1.1 \(status) \(reason)\r\n"
        for (name, value) in fields.all { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}

/// Reads the heads of messages from bytes that nobody vouches for. Pure; whatever is not plain HTTP is refused.
enum HTTPParser {
    /// Of a whole head.
    static let limit = 32 << 10
    static let fieldLimit = 100

    enum Problem: Error, Hashable {
        case tooLarge
        case malformed
    }

    /// Where the head ends, behind its empty line; nil while it is incomplete. Empty lines in front belong to it.
    static func headEnd(in bytes: ArraySlice<UInt8>) -> Int? {
        var isLineEmpty = true
        var isStarted = false
        for (at, byte) in zip(bytes.indices, bytes) {
            if byte == 0x0a {
                if isLineEmpty, isStarted { return at + 1 }
                isLineEmpty = true
            } else if byte != 0x0d {
                isLineEmpty = false
                isStarted = true
            }
        }
        return nil
    }

    static func request(_ head: ArraySlice<UInt8>) throws(Problem) -> HTTPRequest {
        let (first, fields) = try split(head)
        let words = first.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, isToken(words[0].utf8), !words[1].isEmpty,
            words[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0"
        else { throw .malformed }
        return HTTPRequest(
            method: String(words[0]), target: String(words[1]), isModern: words[2] == "HTTP/1.1", fields: fields)
    }

    static func response(_ head: ArraySlice<UInt8>) throws(Problem) -> HTTPResponse {
        let (first, fields) = try split(head)
        let words = first.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1]), (100...599).contains(status)
        else { throw .malformed }
        let reason = words.count > 2 ? String(words[2]) : ""
        return HTTPResponse(status: status, reason: reason, fields: fields)
    }

    private static func split(_ head: ArraySlice<UInt8>) throws(Problem) -> (first: String, fields: HTTPFields) {
        guard head.count <= limit else { throw .tooLarge }
        var lines = head.split(separator: 0x0a, omittingEmptySubsequences: true)
            .map { $0.last == 0x0d ? $0.dropLast() : $0 }.filter { !$0.isEmpty }[...]
        guard lines.count <= fieldLimit + 1 else { throw .tooLarge }
        guard let first = lines.popFirst(), lines.allSatisfy(isText), isText(first) else { throw .malformed }
        var fields = HTTPFields()
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), isToken(line[..<colon]) else { throw .malformed }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 9 }
            let name = String(decoding: line[..<colon], as: UTF8.self)
            fields.append(name, String(decoding: value, as: UTF8.self).trimmingBlanks())
        }
        return (String(decoding: first, as: UTF8.self), fields)
    }

    private static func isText(_ line: ArraySlice<UInt8>) -> Bool {
        line.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }
    }

    /// A name of RFC 9110.
    private static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty
            && bytes.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }
}

extension String {
    /// Without the blanks at the end.
    fileprivate func trimmingBlanks() -> String {
        var text = self
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
