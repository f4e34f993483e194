/// A command line as Python's argparse knows it: options and positional arguments of one parser.
struct ArgparseGrammar: Sendable {
    struct Option: Sendable {
        enum Kind: Sendable {
            case flag
            case text
            /// Takes what Python's `int` takes.
            case integer
            case help
            case version
        }

        /// As they are registered: argparse names them in this order.
        var names: [String]
        var kind: Kind
        /// What it is there for, in a sentence without its stop.
        var help: String
        /// What counts without it.
        var standard: String?

        init(_ names: String..., kind: Kind = .text, standard: String? = nil, help: String) {
            self.names = names
            self.kind = kind
            self.help = help
            self.standard = standard
        }

        static let help = Self("-h", "--help", kind: .help, help: "show this help and exit")

        /// The first long one, under which the result has it.
        var key: String { names.first { $0.hasPrefix("--") } ?? names[0] }
    }

    /// A positional argument or a subcommand.
    struct Word: Sendable {
        var name: String
        var help: String

        init(_ name: String, _ help: String) {
            self.name = name
            self.help = help
        }
    }

    /// In front of errors.
    var program: String
    /// What the program does, for the help: paragraphs without line breaks.
    var summary: [String]
    var options: [Option]
    /// All of them must be there.
    var positionals: [Word] = []
    /// One of which comes behind the options, with a command line of its own.
    var commands: [Word] = []

    /// The exit status of a usage error.
    static let exitStatus: Int32 = 2

    /// What argparse prints for an error.
    func problem(_ message: String) -> String { usage + "\(program): error: \(message)\n" }
}

/// What a command line says.
enum ArgparseOutcome: Equatable, Sendable {
    /// The help was asked for.
    case help
    /// The program's version was asked for.
    case version
    /// It is wrong.
    case problem(String)
    case arguments(ArgparseArguments)
}

/// The options and arguments that were read.
struct ArgparseArguments: Equatable, Sendable {
    /// The last value of each option that was given, by its key. Of a flag: "".
    var values: [String: String] = [:]
    /// In the order of the grammar.
    var positionals: [String] = []
    /// What the parser does not know, as it was written.
    var unrecognized: [String] = []

    func has(_ key: String) -> Bool { values[key] != nil }
}
