import Model

/// By what a server tells whether a file is still the one that it sent (RFC 9110, 8.8). For a file of the host and one
/// of an rsync server `entityTag` is what there is to compare: times, sizes and numbers.
struct HTTPValidator: Codable, Hashable, Sendable {
    var entityTag: String?
    var lastModified: String?

    var isEmpty: Bool { entityTag == nil && lastModified == nil }

    /// Headers of a request that is to be answered only if the file has changed.
    var conditions: [String] {
        // RFC 9110: a server that knows tags ignores the date.
        [entityTag.map { "If-None-Match: \($0)" }, lastModified.map { "If-Modified-Since: \($0)" }].compactMap { $0 }
    }

    /// What If-Range takes: it has to be strong. Nil: an interrupted transfer cannot go on.
    var rangeCondition: String? {
        if let entityTag, !entityTag.hasPrefix("W/") { return entityTag }
        return lastModified
    }

    /// Whether two answers are of the same bytes, as far as both say.
    func agrees(with other: HTTPValidator) -> Bool {
        if let mine = entityTag, let theirs = other.entityTag { return mine == theirs }
        if let mine = lastModified, let theirs = other.lastModified { return mine == theirs }
        return true
    }
}

/// The head of an answer as curl writes it down: of several (redirects, 100 Continue) the last one.
struct HTTPAnswer: Hashable, Sendable {
    /// The most that is read of it.
    static let limit = 1 << 18

    var status: Int
    /// By name in lower case; of a repeated one the last.
    private(set) var fields: [String: String] = [:]

    init?(_ bytes: [UInt8]) {
        var found: HTTPAnswer?
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            if line.hasPrefix("HTTP/") {
                let words = line.split(separator: " ")
                guard words.count > 1, let status = Int(words[1]) else { return nil }
                found = HTTPAnswer(status: status)
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].filter {
                    $0.unicodeScalars.allSatisfy { $0.value >= 0x20 }
                }
                found?.fields[line[..<colon].lowercased()] = Self.trimmed(value)
            }
        }
        guard let found else { return nil }
        self = found
    }

    private init(status: Int) { self.status = status }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        let blanks = start.reversed().prefix { $0 == " " || $0 == "\t" }.count
        return String(start.dropLast(blanks))
    }

    var validator: HTTPValidator {
        // What a server makes up to no purpose is not worth keeping.
        let values = ["etag", "last-modified"].map { name in fields[name].flatMap { $0.utf8.count > 512 ? nil : $0 } }
        return HTTPValidator(entityTag: values[0], lastModified: values[1] == fields["date"] ? nil : values[1])
    }

    /// The bytes of the whole file, if the answer says.
    var total: UInt64? {
        if status == 206 {
            return fields["content-range"].flatMap { $0.split(separator: "/").last.flatMap { UInt64($0) } }
        }
        guard status == 200, fields["transfer-encoding"] == nil else { return nil }
        return fields["content-length"].flatMap { UInt64($0) }
    }

    /// Seconds only; dates are too rare to be worth it.
    var retryAfter: Duration? { fields["retry-after"].flatMap { Int64($0) }.map { .seconds(max(0, min($0, 3600))) } }
}
