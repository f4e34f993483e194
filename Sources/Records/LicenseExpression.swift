import Model

/// What a copyright file states, as an SPDX licence expression.
///
/// A statement of DEP-5 joins short names by `and`, `or` and, binding weakest, a comma before one of them:
/// `GPL-2+ or Artistic, and Expat`.
struct LicenseExpression: Hashable {
    /// In SPDX's syntax, a single term or one in parentheses.
    var text: String
    /// The names behind each `LicenseRef-…` of it.
    var references: [String: String] = [:]

    /// All of the statements together; nil if there is none.
    static func all(of statements: [String]) -> LicenseExpression? {
        var references: [String: String] = [:]
        var terms: [String] = []
        for statement in statements {
            var parser = Parser(statement)
            let term = parser.wide()
            references.merge(parser.references) { first, _ in first }
            if !terms.contains(term) { terms.append(term) }
        }
        guard !terms.isEmpty else { return nil }
        return LicenseExpression(text: joined(terms, "AND"), references: references)
    }

    fileprivate static func joined(_ terms: [String], _ word: String) -> String {
        var single: [String] = []
        for term in terms where !single.contains(term) { single.append(term) }
        return single.count == 1 ? single[0] : "(" + single.joined(separator: " \(word) ") + ")"
    }
}

private struct Parser {
    private var words: [String]
    private var at = 0
    private(set) var references: [String: String] = [:]

    init(_ statement: String) {
        words = statement.split(separator: " ").flatMap { word in
            word.count > 1 && word.hasSuffix(",") ? [String(word.dropLast()), ","] : [String(word)]
        }
    }

    private var next: String? { at < words.count ? words[at].lowercased() : nil }

    /// Parts between commas. What joins the parts is the word after the first comma.
    mutating func wide() -> String {
        var terms = [alternatives()]
        var joining = "AND"
        while next == "," {
            at += 1
            if next == "and" || next == "or" {
                joining = words[at].uppercased()
                at += 1
            }
            if next != nil { terms.append(alternatives()) }
        }
        return LicenseExpression.joined(terms, joining)
    }

    private mutating func alternatives() -> String {
        var terms = [together()]
        while next == "or" || next == "and/or" {
            at += 1
            terms.append(together())
        }
        return LicenseExpression.joined(terms, "OR")
    }

    private mutating func together() -> String {
        var terms = [name()]
        while next == "and" {
            at += 1
            terms.append(name())
        }
        return LicenseExpression.joined(terms, "AND")
    }

    /// The words up to the next joining one. An exception makes another licence of what it is granted to.
    private mutating func name() -> String {
        let start = at
        while let word = next, ![",", "and", "or", "and/or"].contains(word) { at += 1 }
        let name = words[start..<at].joined(separator: " ")
        if let known = LicenseNames.identifier(of: name) { return known }
        let reference = Self.reference(name)
        references[reference] = name
        return reference
    }

    /// Letters, digits, `.` and `-` are all that a reference may have: a name that has others gets a part of its
    /// digest, so that two names stay two.
    private static func reference(_ name: String) -> String {
        let isPlain = { (byte: UInt8) in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "."), UInt8(ascii: "-"): true
            default: false
            }
        }
        if !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy(isPlain) { return "LicenseRef-" + name }
        let parts = name.utf8.prefix(64).split { !isPlain($0) }.map { String(decoding: $0, as: UTF8.self) }
        return (["LicenseRef"] + parts + [String(Digest(of: Array(name.utf8)).hex.prefix(8))]).joined(separator: "-")
    }
}
