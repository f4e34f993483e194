/// The command line of image-factory 1.0.2, `image-factory [options] [image]`, as Python's argparse reads it: long
/// options may be cut short while they are unique, the last of a pair of flags wins, `--` ends the options.
///
/// The program's own options of `build` are let through; they have to be written in full.
struct NetinstallArguments: Equatable {
    /// An option with what it was given: `--image-size=3G`, or `--log-file`.
    struct Setting: Equatable {
        var name: String
        var value: String?

        /// One argument, whatever the value begins with.
        var argument: String { value.map { "\(name)=\($0)" } ?? name }
    }

    /// What is wrong in the first place, as argparse says it.
    struct Problem: Equatable {
        var message: String

        init(_ message: String) { self.message = message }
    }

    /// The positional argument; may be empty.
    var image: String?
    /// In the order given, by their full names.
    var settings: [Setting] = []
    var wantsHelp = false
    /// The first one; the rest of the line was read all the same.
    var problem: Problem?

    init(_ arguments: [String], grammar: NetinstallGrammar = .build) {
        var reader = NetinstallReader(arguments, grammar)
        reader.read()
        self = reader.result
    }

    fileprivate init() {}
}

private struct NetinstallReader {
    private enum Token {
        case argument(String)
        case option(NetinstallGrammar.Option, written: String, value: String?)
        case unknownOption(String)
        /// The first `--`.
        case dashes
    }

    private let arguments: [String]
    private let grammar: NetinstallGrammar
    private var tokens: ArraySlice<Token> = []
    private var unrecognized: [String] = []
    var result = NetinstallArguments()

    init(_ arguments: [String], _ grammar: NetinstallGrammar) {
        self.arguments = arguments
        self.grammar = grammar
    }

    mutating func read() {
        classify()
        while let token = tokens.popFirst() {
            switch token {
            // They belong to the image, before or behind it.
            case .dashes where result.image == nil: break
            case .dashes: unrecognized.append("--")
            case .argument(let text) where result.image == nil:
                result.image = text
                if case .dashes = tokens.first { tokens.removeFirst() }
            case .argument(let text), .unknownOption(let text): unrecognized.append(text)
            case .option(let option, let written, let value): consume(option, written, value)
            }
        }
        if !unrecognized.isEmpty, !result.wantsHelp {
            fail("unrecognized arguments: " + unrecognized.joined(separator: " "))
        }
    }

    private mutating func fail(_ message: String) {
        // Help that was asked for before is shown.
        guard result.problem == nil, !result.wantsHelp else { return }
        result.problem = NetinstallArguments.Problem(message)
    }

    private mutating func classify() {
        let end = arguments.firstIndex(of: "--") ?? arguments.count
        var tokens: [Token] = []
        for argument in arguments[..<end] { tokens.append(classified(argument)) }
        if end < arguments.count {
            tokens.append(.dashes)
            tokens += arguments[(end + 1)...].map { .argument($0) }
        }
        self.tokens = tokens[...]
    }

    private mutating func classified(_ text: String) -> Token {
        guard text.hasPrefix("-"), text != "-" else { return .argument(text) }
        if let option = option(named: text) { return .option(option, written: text, value: nil) }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let value = parts.count == 2 ? parts[1] : nil
        if value != nil, let option = option(named: parts[0]) {
            return .option(option, written: parts[0], value: value)
        }
        let candidates = candidates(text, parts[0], value)
        if candidates.count > 1 {
            fail("ambiguous option: \(text) could match \(candidates.map(\.written).joined(separator: ", "))")
        }
        if let found = candidates.first { return .option(found.option, written: found.written, value: found.value) }
        // A number is no option, and neither is what has a blank in it.
        return isNegativeNumber(text) || text.contains(" ") ? .argument(text) : .unknownOption(text)
    }

    private func option(named name: String) -> NetinstallGrammar.Option? {
        grammar.options.first { $0.names.contains(name) }
    }

    /// What a text may be short for, or a short option with its value joined to it.
    private func candidates(
        _ text: String, _ prefix: String, _ value: String?
    ) -> [(option: NetinstallGrammar.Option, written: String, value: String?)] {
        if text.hasPrefix("--") {
            return grammar.options.filter(\.isOld).flatMap { option in
                option.names.filter { $0.hasPrefix(prefix) }.map { (option, $0, value) }
            }
        }
        return grammar.options.compactMap { option in
            option.names.first { $0 == text.prefix(2) }.map { (option, $0, String(text.dropFirst(2))) }
        }
    }

    private func isNegativeNumber(_ text: String) -> Bool {
        let parts = text.dropFirst().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        return areDigits && !(parts.last ?? "").isEmpty
    }

    private mutating func consume(_ option: NetinstallGrammar.Option, _ written: String, _ given: String?) {
        let label = "argument \(option.names.joined(separator: "/"))"
        if let given, !option.takesValue {
            fail("\(label): ignored explicit argument \(Self.quoted(given))")
            return
        }
        var value = given
        if value == nil, option.takesValue {
            value = popArgument()
            guard value != nil else {
                fail("\(label): expected one argument")
                return
            }
        }
        if let value, let choices = option.choices, !choices.contains(value) {
            let known = choices.map(Self.quoted).joined(separator: ", ")
            fail("\(label): invalid choice: \(Self.quoted(value)) (choose from \(known))")
            return
        }
        if option.name == NetinstallGrammar.help {
            result.wantsHelp = result.problem == nil
        } else {
            result.settings.append(NetinstallArguments.Setting(name: option.name, value: value))
        }
    }

    private mutating func popArgument() -> String? {
        guard case .argument(let text) = tokens.first else { return nil }
        tokens.removeFirst()
        return text
    }

    private static func quoted(_ text: String) -> String {
        text.contains("'") && !text.contains("\"") ? "\"\(text)\"" : "'\(text)'"
    }
}
