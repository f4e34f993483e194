/// Reads a command line as argparse of Python 3.11 does: options may be cut short while they are unique, short options
/// may have letters in plenty and their value joined to them, `--` ends the options.
struct ArgparseReader {
    private enum Token {
        case argument
        /// Nil: it looks like an option and is none.
        case option(Match?)
        /// The first `--`.
        case dashes
    }

    private struct Match {
        var option: ArgparseGrammar.Option
        var name: String
        var value: String?
    }

    /// What ends the reading before its end.
    private struct End: Error {
        var outcome: ArgparseOutcome
    }

    /// How the problem of a command line begins that has too few arguments.
    static let missing = "the following arguments are required: "

    private let grammar: ArgparseGrammar
    private let words: [String]
    private var tokens: [Token] = []
    private var result = ArgparseArguments()

    private init(_ words: [String], _ grammar: ArgparseGrammar) {
        self.words = words
        self.grammar = grammar
    }

    static func read(_ words: [String], _ grammar: ArgparseGrammar) -> ArgparseOutcome {
        var reader = ArgparseReader(words, grammar)
        do throws(End) { return try reader.read() } catch { return error.outcome }
    }

    /// What comes before the first positional argument, and the words from there on: of a parser with subcommands.
    static func split(_ words: [String], _ grammar: ArgparseGrammar) -> (outcome: ArgparseOutcome, rest: [String]) {
        var reader = ArgparseReader(words, grammar)
        do throws(End) {
            try reader.classify()
            var at = 0
            while at < words.count, case .option(let match) = reader.tokens[at] {
                at = try reader.consume(match, at)
            }
            return (.arguments(reader.result), Array(words[at...]))
        } catch { return (error.outcome, []) }
    }

    private mutating func read() throws(End) -> ArgparseOutcome {
        try classify()
        var at = 0
        while at < words.count {
            if case .option(let match) = tokens[at] {
                at = try consume(match, at)
                continue
            }
            let next = tokens[at...].firstIndex { if case .option = $0 { true } else { false } } ?? words.count
            let end = consumePositionals(at)
            if end == at {
                result.unrecognized += words[at..<next]
                at = next
            } else {
                at = end
            }
        }
        let missing = grammar.positionals.dropFirst(result.positionals.count)
        guard missing.isEmpty else {
            return .problem(Self.missing + missing.map(\.name).joined(separator: ", "))
        }
        return .arguments(result)
    }

    private mutating func classify() throws(End) {
        var isAfterDashes = false
        for word in words {
            if isAfterDashes {
                tokens.append(.argument)
            } else if word == "--" {
                isAfterDashes = true
                tokens.append(.dashes)
            } else {
                tokens.append(try token(word))
            }
        }
    }

    private func token(_ word: String) throws(End) -> Token {
        guard word.hasPrefix("-"), word != "-" else { return .argument }
        if let option = option(word) { return .option(Match(option: option, name: word, value: nil)) }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, let option = option(parts[0]) {
            return .option(Match(option: option, name: parts[0], value: parts[1]))
        }
        let candidates = candidates(word, parts)
        if candidates.count > 1 {
            let names = candidates.map(\.name).joined(separator: ", ")
            throw End(outcome: .problem("ambiguous option: \(word) could match \(names)"))
        }
        if let found = candidates.first { return .option(found) }
        return Self.isNegativeNumber(word) || word.contains(" ") ? .argument : .option(nil)
    }

    private func option(_ name: String) -> ArgparseGrammar.Option? {
        grammar.options.first { $0.names.contains(name) }
    }

    private func candidates(_ word: String, _ parts: [String]) -> [Match] {
        var found: [Match] = []
        for option in grammar.options {
            for name in option.names {
                if word.hasPrefix("--") {
                    guard name.hasPrefix(parts[0]) else { continue }
                    found.append(Match(option: option, name: name, value: parts.count == 2 ? parts[1] : nil))
                } else if name == word.prefix(2) {
                    found.append(Match(option: option, name: name, value: String(word.dropFirst(2))))
                } else if name.hasPrefix(word) {
                    found.append(Match(option: option, name: name, value: nil))
                }
            }
        }
        return found
    }

    private static func isNegativeNumber(_ word: String) -> Bool {
        let parts = word.dropFirst().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.allSatisfy { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            && !(parts.last ?? "").isEmpty
    }

    /// The index behind the option at an index and its value.
    private mutating func consume(_ match: Match?, _ index: Int) throws(End) -> Int {
        guard var match else {
            result.unrecognized.append(words[index])
            return index + 1
        }
        var flags: [ArgparseGrammar.Option] = []
        while match.option.kind.isFlag, let value = match.value {
            // `-vV` is `-v -V`.
            guard !match.name.hasPrefix("--"), let letter = value.first, let next = option("-\(letter)") else {
                throw fail(match.option, "ignored explicit argument \(Self.quoted(value))")
            }
            flags.append(match.option)
            let rest = String(value.dropFirst())
            match = Match(option: next, name: "-\(letter)", value: rest.isEmpty ? nil : rest)
        }
        var end = index + 1
        if !match.option.kind.isFlag, match.value == nil {
            guard end < words.count, case .argument = tokens[end] else {
                throw fail(match.option, "expected one argument")
            }
            match.value = words[end]
            end += 1
        }
        for flag in flags { try take(flag, nil) }
        try take(match.option, match.value)
        return end
    }

    private mutating func take(_ option: ArgparseGrammar.Option, _ value: String?) throws(End) {
        switch option.kind {
        case .help: throw End(outcome: .help)
        case .version: throw End(outcome: .version)
        case .flag, .text: break
        case .integer:
            guard PythonInteger.parse(value ?? "") != nil else {
                throw fail(option, "invalid int value: \(Self.quoted(value ?? ""))")
            }
        }
        result.values[option.key] = value ?? ""
    }

    private func fail(_ option: ArgparseGrammar.Option, _ message: String) -> End {
        End(outcome: .problem("argument \(option.names.joined(separator: "/")): \(message)"))
    }

    /// As many positional arguments as follow one another; a `--` beside one belongs to it.
    private mutating func consumePositionals(_ start: Int) -> Int {
        var at = start
        while result.positionals.count < grammar.positionals.count {
            var index = at
            if index < words.count, case .dashes = tokens[index] { index += 1 }
            guard index < words.count, case .argument = tokens[index] else { break }
            result.positionals.append(words[index])
            index += 1
            if index < words.count, case .dashes = tokens[index] { index += 1 }
            at = index
        }
        return at
    }

    /// As `repr()` writes it.
    static func quoted(_ text: String) -> String {
        text.contains("'") && !text.contains("\"") ? "\"\(text)\"" : "'\(text)'"
    }
}

extension ArgparseGrammar.Option.Kind {
    fileprivate var isFlag: Bool {
        switch self {
        case .flag, .help, .version: true
        case .text, .integer: false
        }
    }
}

/// Integers as Python's `int` reads them from text.
enum PythonInteger {
    static func parse(_ text: String) -> Int64? {
        var digits = text.drop { $0.isWhitespace }
        while digits.last?.isWhitespace ?? false { digits.removeLast() }
        let sign = digits.first == "-" ? "-" : ""
        if digits.first == "-" || digits.first == "+" { digits = digits.dropFirst() }
        let groups = digits.split(separator: "_", omittingEmptySubsequences: false)
        guard groups.allSatisfy({ group in !group.isEmpty && group.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else { return nil }
        return Int64(sign + groups.joined())
    }
}
