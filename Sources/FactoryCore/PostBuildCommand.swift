import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// The program that an image's section has run when all is done, with the image's file name as its argument.
struct PostBuildCommand: Sendable {
    let words: [String]
    /// Whether the value was split at its blanks, which image-factory 1.0.2 did not do.
    let wasSplit: Bool

    /// The whole value is one program if there is one of that name, blanks and all; else it is a list of words as a
    /// shell has them, without expansions.
    ///
    /// - Parameter isProgram: whether a name or path is that of a program.
    init(_ value: String, isProgram: (String) -> Bool) throws {
        let words = try ShellWords.split(value)
        guard !isProgram(value), words.count > 1 else {
            self.words = [value]
            wasSplit = false
            return
        }
        self.words = words
        wasSplit = true
    }
}

/// Words as a shell has them: blanks part them, quotes and backslashes keep them together. Nothing is expanded.
enum ShellWords {
    /// Throws if a quote is not closed.
    static func split(_ text: String) throws -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch (character, quote) {
            case ("'", "'"), ("\"", "\""): quote = nil
            case (_, "'"): word = (word ?? "") + String(character)
            case ("\\", nil): word = (word ?? "") + (rest.popFirst().map(String.init) ?? "")
            case ("\\", "\""):
                let next = rest.popFirst().map(String.init) ?? ""
                word = (word ?? "") + (["\"", "\\", "$", "`"].contains(next) ? next : "\\" + next)
            case ("'", nil), ("\"", nil):
                quote = character
                word = word ?? ""
            case (_, nil) where character.isWhitespace:
                if let word { words.append(word) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else {
            throw FactoryError(
                .definition, "the quotes of the command '\(text)' are not closed", remedy: "close them")
        }
        if let word { words.append(word) }
        return words
    }
}

/// Programs that a definition names, run in the user's name: with the user's environment, and nothing around them.
struct UserCommand: Sendable {
    let runner: any CommandRunning
    let environment: [String: String]

    /// Runs to the end; what it prints goes to the log of `step`. A failure has the program's own exit status.
    func run(_ words: [String], step: String, _ events: EventLog) async throws {
        let shown = Self.shown(words)
        events.send(.note(message: "Calling \(shown)"))
        let command = Command(words[0], Array(words.dropFirst()), environment: environment)
        let result = try await runner.run(command) { _, line in events.send(.log(step: step, line: line)) }
        let status: Int32 =
            switch result.ending {
            case .exited(let status): status
            // As Python's subprocess and sys.exit have it.
            case .signalled(let signal): 256 - signal
            }
        guard status != 0 else { return }
        var error = FactoryError(
            .failed, "'\(words.joined(separator: " "))' failed with exit code \(status).",
            remedy: result.reason.map { "it said: \($0)" } ?? "see what it needs; the image is finished and in place")
        error.status = status
        throw error
    }

    /// As image-factory 1.0.2 tells of a call: words with blanks in double quotes.
    static func shown(_ words: [String]) -> String {
        words.map { word in
            word.contains(" ") ? "\"" + word.replacing("\"", with: "\\\"") + "\"" : word
        }.joined(separator: " ")
    }

    /// Whether a name is that of a program where the user would find it.
    func isProgram(_ name: String) -> Bool {
        let folders =
            name.contains("/")
            ? [""] : (environment["PATH"] ?? Command.searchPath).split(separator: ":").map { $0 + "/" }
        return folders.contains { folder in
            var facts = stat()
            let path = folder + name
            return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
        }
    }
}
