/// What a parser says of itself, laid out as argparse does for a terminal of 80 columns.
extension ArgparseGrammar {
    private static let width = 78
    private static let column = 24

    /// With a line break at its end.
    var usage: String {
        let lead = "usage: \(program) "
        let optional = options.map {
            "[" + ([$0.names[0]] + [$0.placeholder].compactMap { $0 }).joined(separator: " ") + "]"
        }
        let required = positionals.map(\.name) + (commands.isEmpty ? [] : [choice, "..."])
        let line = lead + (optional + required).joined(separator: " ")
        guard line.utf8.count > Self.width else { return line + "\n" }
        let indent = String(repeating: " ", count: lead.utf8.count)
        let lines = Self.lines(of: optional, indent: indent) + Self.lines(of: required, indent: indent)
        return lead + lines.joined(separator: "\n").dropFirst(indent.utf8.count) + "\n"
    }

    /// The usage and what each word of it means.
    var help: String {
        var text = usage
        for paragraph in summary {
            text += "\n" + Self.wrapped(paragraph, to: Self.width).joined(separator: "\n") + "\n"
        }
        if !positionals.isEmpty {
            text += "\npositional arguments:\n" + positionals.map { Self.entry($0.name, $0.help) }.joined()
        }
        text += "\noptions:\n" + options.map { Self.entry($0.head, $0.sentence) }.joined()
        if !commands.isEmpty {
            text += "\ncommands:\n" + commands.map { Self.entry($0.name, $0.help) }.joined()
        }
        return text
    }

    private var choice: String { "{" + commands.map(\.name).joined(separator: ",") + "}" }

    private static func lines(of parts: [String], indent: String) -> [String] {
        var lines: [String] = []
        for part in parts {
            if let last = lines.last, last.utf8.count + 1 + part.utf8.count <= width {
                lines[lines.count - 1] += " " + part
            } else {
                lines.append(indent + part)
            }
        }
        return lines
    }

    private static func entry(_ head: String, _ body: String) -> String {
        var lines = wrapped(body, to: width - column)
        let space = column - 2 - head.utf8.count
        // argparse leaves two blanks between the columns.
        let first = space >= 2 && !lines.isEmpty ? String(repeating: " ", count: space) + lines.removeFirst() : ""
        let rest = lines.map { String(repeating: " ", count: column) + $0 + "\n" }.joined()
        return "  " + head + first + "\n" + rest
    }

    private static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

extension ArgparseGrammar.Option {
    /// What stands for its value; nil for a flag.
    var placeholder: String? {
        switch kind {
        case .flag, .help, .version: nil
        case .text, .integer: String(key.drop { $0 == "-" }).replacing("-", with: "_").uppercased()
        }
    }

    /// All its names, with what stands for its value.
    var head: String {
        names.joined(separator: ", ") + (placeholder.map { " " + $0 } ?? "")
    }

    /// What it is there for, and what counts without it.
    var sentence: String { help + (standard.map { " (default: \($0))" } ?? "") }
}
