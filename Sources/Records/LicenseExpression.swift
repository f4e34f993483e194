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
        let terms = statements.map { statement in
            var parser = Parser(statement)
            defer { references.merge(parser.references) { first, _ in first } }
            return parser.wide()
        }
        guard !terms.isEmpty else { return nil }
        return LicenseExpression(text: Term(terms, "AND").text, references: references)
    }
}

/// A licence, or several joined by one word: none of them is itself joined by that word, and each is there once.
private struct Term: Hashable {
    private var parts: [Term] = []
    private var word = ""
    private var name = ""

    init(_ name: String) { self.name = name }

    init(_ terms: [Term], _ word: String) {
        for term in terms {
            for part in term.word == word ? term.parts : [term] where !parts.contains(part) { parts.append(part) }
        }
        self.word = word
        if parts.count == 1 { self = parts[0] }
    }

    var text: String {
        parts.isEmpty ? name : "(" + parts.map(\.text).joined(separator: " \(word) ") + ")"
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
    mutating func wide() -> Term {
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
        return Term(terms, joining)
    }

    private mutating func alternatives() -> Term {
        var terms = [together()]
        while next == "or" || next == "and/or" {
            at += 1
            terms.append(together())
        }
        return Term(terms, "OR")
    }

    private mutating func together() -> Term {
        var terms = [name()]
        while next == "and" {
            at += 1
            terms.append(name())
        }
        return Term(terms, "AND")
    }

    /// The words up to the next joining one. An exception makes another licence of what it is granted to.
    private mutating func name() -> Term {
        let start = at
        while let word = next, ![",", "and", "or", "and/or"].contains(word) { at += 1 }
        let name = words[start..<at].joined(separator: " ")
        if let known = LicenseNames.identifier(of: name) { return Term(known) }
        let reference = Self.reference(name)
        references[reference] = name
        return Term(reference)
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
