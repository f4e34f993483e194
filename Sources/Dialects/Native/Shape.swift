/// What a value of a native definition may be. One table of these checks definitions and makes the JSON Schema.
indirect enum Shape: Sendable {
    case text(TextRule)
    case choice([String])
    case flag
    case list(Shape, mayBeEmpty: Bool = true)
    case map([ShapeKey])
    /// Any keys; the values are texts.
    case variables
    /// One of several, told apart by being a scalar, a list or a map.
    case either([Shape])
}

/// One key of a map.
struct ShapeKey: Sendable {
    var name: String
    var shape: Shape
    var summary: String
    var isRequired: Bool
    /// Texts in which `${name}` is replaced only where the variable is declared, for they may be shell.
    var keepsUnknownVariables: Bool

    init(
        _ name: String, _ shape: Shape, _ summary: String, required: Bool = false, keepsUnknownVariables: Bool = false
    ) {
        self.name = name
        self.shape = shape
        self.summary = summary
        isRequired = required
        self.keepsUnknownVariables = keepsUnknownVariables
    }
}

/// What a text must look like.
struct TextRule: Sendable {
    /// With an article: "a package name".
    var what: String
    /// A regular expression for the whole, in the syntax that JSON Schema and Swift share.
    var pattern: String?
    var example: String?
    var mayHaveLines: Bool
    /// What is written in its place by mistake may be a password, which no message must show.
    var mayBeSecret: Bool
    /// In bytes.
    var maximum: Int

    init(
        _ what: String, _ pattern: String? = nil, example: String? = nil, mayHaveLines: Bool = false,
        mayBeSecret: Bool = false, maximum: Int = 4096
    ) {
        self.what = what
        self.pattern = pattern
        self.example = example
        self.mayHaveLines = mayHaveLines
        self.mayBeSecret = mayBeSecret
        self.maximum = maximum
    }

    func accepts(_ text: String, _ patterns: Patterns) -> Bool {
        guard text.utf8.count <= maximum, mayHaveLines || !text.contains(where: \.isNewline) else { return false }
        return pattern.map { patterns.matches($0, text) } ?? true
    }
}

/// The compiled patterns of one check: to compile costs more than to match.
final class Patterns {
    private var compiled: [String: Regex<AnyRegexOutput>] = [:]

    /// Scalar by scalar, as JSON Schema has it: a character that is only equivalent to an ASCII one is another.
    func matches(_ pattern: String, _ text: String) -> Bool {
        if let known = compiled[pattern] { return text.wholeMatch(of: known) != nil }
        guard let made = try? Regex(pattern).matchingSemantics(.unicodeScalar) else { return false }
        compiled[pattern] = made
        return text.wholeMatch(of: made) != nil
    }
}

extension Shape {
    /// For messages: "a list", "one of gpt, mbr".
    var expectation: String {
        switch self {
        case .text(let rule): rule.what
        case .choice(let names): "one of " + names.joined(separator: ", ")
        case .flag: "true or false"
        case .list: "a list"
        case .map(let keys): "a map with " + keys.map(\.name).joined(separator: ", ")
        case .variables: "a map of names and values"
        case .either(let shapes): shapes.map(\.expectation).joined(separator: ", or ")
        }
    }
}
