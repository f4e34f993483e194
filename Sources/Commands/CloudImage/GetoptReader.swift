/// Reads a command line as the program getopt of util-linux does: options and arguments in any order, short options in
/// plenty with their value joined to them, long ones cut short while they are unique, `--` ends the options.
struct GetoptReader {
    struct Option: Sendable {
        /// A letter or a word, without dashes.
        var name: String
        var takesValue: Bool
    }

    struct Found: Equatable {
        var options: [Pair] = []
        var arguments: [String] = []

        /// An option as the program has it, and its value.
        struct Pair: Equatable {
            var name: String
            var value: String?
        }
    }

    /// What getopt says of a line that it does not take.
    struct Problem: Error, Equatable {
        var message: String
    }

    private let letters: [Option]
    private let words: [Option]
    private var rest: ArraySlice<String>
    private var found = Found()

    private init(_ line: [String], letters: [Option], words: [Option]) {
        self.letters = letters
        self.words = words
        rest = line[...]
    }

    static func read(_ line: [String], letters: [Option], words: [Option]) throws(Problem) -> Found {
        var reader = GetoptReader(line, letters: letters, words: words)
        try reader.read()
        return reader.found
    }

    private mutating func read() throws(Problem) {
        while let word = rest.popFirst() {
            if word == "--" {
                found.arguments += rest
                return
            }
            if word.hasPrefix("--") {
                try readLong(word.dropFirst(2))
            } else if word.hasPrefix("-"), word != "-" {
                try readLetters(word.dropFirst())
            } else {
                found.arguments.append(word)
            }
        }
    }

    private mutating func readLong(_ word: Substring) throws(Problem) {
        let name = word.prefix { $0 != "=" }
        let value = name.count == word.count ? nil : String(word.dropFirst(name.count + 1))
        let option = try long(String(name))
        if option.takesValue {
            guard let value = value ?? rest.popFirst() else {
                throw Problem(message: "option '--\(option.name)' requires an argument")
            }
            found.options.append(.init(name: "--" + option.name, value: value))
        } else {
            guard value == nil else {
                throw Problem(message: "option '--\(option.name)' doesn't allow an argument")
            }
            found.options.append(.init(name: "--" + option.name, value: nil))
        }
    }

    private func long(_ name: String) throws(Problem) -> Option {
        if let option = words.first(where: { $0.name == name }) { return option }
        let options = words.filter { $0.name.hasPrefix(name) }
        guard let option = options.first else { throw Problem(message: "unrecognized option '--\(name)'") }
        guard options.count == 1 else {
            let names = options.map { "'--\($0.name)'" }.joined(separator: " ")
            throw Problem(message: "option '--\(name)' is ambiguous; possibilities: \(names)")
        }
        return option
    }

    private mutating func readLetters(_ word: Substring) throws(Problem) {
        var left = word
        while let letter = left.popFirst() {
            guard let option = letters.first(where: { $0.name == String(letter) }) else {
                throw Problem(message: "invalid option -- '\(letter)'")
            }
            guard option.takesValue else {
                found.options.append(.init(name: "-" + option.name, value: nil))
                continue
            }
            guard let value = left.isEmpty ? rest.popFirst() : String(left) else {
                throw Problem(message: "option requires an argument -- '\(letter)'")
            }
            found.options.append(.init(name: "-" + option.name, value: value))
            return
        }
    }
}
