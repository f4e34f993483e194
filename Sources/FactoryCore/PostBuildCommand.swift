import Glibc
import Model
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

/// Whether a name is that of a program where the user would find it.
enum UserPrograms {
    static func contain(_ name: String, _ environment: [String: String]) -> Bool {
        let path = environment["PATH"] ?? Command.searchPath
        let folders = name.contains("/") ? [""] : path.split(separator: ":").map { $0 + "/" }
        return folders.contains { folder in
            var facts = stat()
            let path = folder + name
            return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
        }
    }
}
