import FactoryCore
import Glibc
import Synchronization

/// gen-vm-image: both of its command lines, told apart by the first argument.
enum GenVMImage: ForeignCommand {
    static let name = GenVMImageGrammar.program

    /// The version of the program whose command line this is.
    static let version = "0.0.8"

    static func run(_ arguments: [String]) async -> Int32 {
        await SignalTrap.run {
            let answer = try await answer(arguments) { try Host.factory() }
            _ = TextOutput(descriptor: STDOUT_FILENO).write(answer.output)
            _ = TextOutput(descriptor: STDERR_FILENO).write(answer.errors)
            return answer.status
        }
    }

    /// - Parameter factory: what makes images, once the command line is understood.
    static func answer(
        _ arguments: [String], _ factory: @escaping @Sendable () throws -> Factory
    ) async throws -> ForeignAnswer {
        if isSeed(arguments) { return try await GenVMImageSeed.answer(arguments, factory) }
        let (top, rest) = ArgparseReader.split(arguments, GenVMImageGrammar.top)
        let grammar = GenVMImageGrammar.top
        switch top {
        case .help: return ForeignAnswer(output: grammar.help)
        case .version: return ForeignAnswer(output: version + "\n")
        case .problem(let message): return .usage(grammar, message)
        case .arguments(let before):
            guard let command = rest.first else {
                return before.unrecognized.isEmpty ? ForeignAnswer() : unrecognized(before.unrecognized)
            }
            switch command {
            case "single":
                return try await answer(rest, GenVMImageGrammar.single, before) {
                    try await GenVMImageCurrent.single($0, factory)
                }
            case "multiple":
                return try await answer(rest, GenVMImageGrammar.multiple, before) {
                    try await GenVMImageCurrent.multiple($0, factory)
                }
            default:
                return .usage(
                    grammar,
                    "argument {single,multiple}: invalid choice: \(ArgparseReader.quoted(command)) "
                        + "(choose from 'single', 'multiple')")
            }
        }
    }

    private static func answer(
        _ words: [String], _ grammar: ArgparseGrammar, _ before: ArgparseArguments,
        _ body: (ArgparseArguments) async throws -> ForeignResult
    ) async throws -> ForeignAnswer {
        switch ArgparseReader.read(Array(words.dropFirst()), grammar) {
        case .help: return ForeignAnswer(output: grammar.help)
        case .version: return ForeignAnswer(output: version + "\n")
        case .problem(let message): return .usage(grammar, message)
        case .arguments(let found):
            let unknown = before.unrecognized + found.unrecognized
            guard unknown.isEmpty else { return unrecognized(unknown) }
            return try await body(found).answer
        }
    }

    private static func unrecognized(_ words: [String]) -> ForeignAnswer {
        .usage(GenVMImageGrammar.top, "unrecognized arguments: " + words.joined(separator: " "))
    }

    /// The older program had only options, and none of the newer one's; without any it makes what its file says.
    private static func isSeed(_ arguments: [String]) -> Bool {
        guard let first = arguments.first else { return true }
        let name = first.prefix { $0 != "=" }
        guard name.hasPrefix("--"), name.count > 2, !"--help".hasPrefix(name), !"--version".hasPrefix(name) else {
            return false
        }
        return GenVMImageGrammar.seed.options.contains { $0.names.contains { $0.hasPrefix(name) } }
    }
}

/// What a program prints at its end, and its exit status.
struct ForeignAnswer: Sendable {
    var output = ""
    var errors = ""
    var status: Int32 = 0

    /// Lines for standard error, whoever wrote them.
    static func lines(_ lines: [String]) -> String {
        lines.map { Printable.line($0, unicode: true) + "\n" }.joined()
    }

    static func usage(_ grammar: ArgparseGrammar, _ message: String) -> ForeignAnswer {
        ForeignAnswer(errors: grammar.problem(message), status: ArgparseGrammar.exitStatus)
    }
}

/// Lines that were said while a program worked.
final class NoteKeeper: Sendable {
    private let lines = Mutex<[(text: String, isWarning: Bool)]>([])

    func add(_ line: String) { lines.withLock { $0.append((line, false)) } }

    func warn(_ line: String) { lines.withLock { $0.append((line, true)) } }

    /// With the warnings, in the order in which they were said.
    var all: [String] { lines.withLock { $0.map(\.text) } }

    var notes: [String] { lines.withLock { $0.filter { !$0.isWarning }.map(\.text) } }

    /// Each once.
    var warnings: [String] {
        var seen: Set<String> = []
        return lines.withLock { $0.filter { $0.isWarning && seen.insert($0.text).inserted }.map(\.text) }
    }

    var imageNotes: ImageNotes { ImageNotes(note: add, warn: warn) }
}
