import FactoryCore
import Glibc
import Model
import SystemPackage

/// configure-vm-image: both of its command lines. The newer one names an image by its path alone, the older one has
/// options only.
enum ConfigureVMImage: ForeignCommand {
    static let name = ConfigureVMImageGrammar.program

    /// The version of the program whose command line this is.
    static let version = "0.1.3"

    static func run(_ arguments: [String]) async -> Int32 {
        await SignalTrap.run {
            var place = ConfigurationPlace(folder: FilePath(try WorkingFolder.path()), tell: nil) { request, notes in
                try await Host.factory().configure(request, telling: notes)
            }
            if isatty(STDERR_FILENO) == 1 { place.tell = { Session.note($0) } }
            let answer = try await answer(arguments, in: place)
            _ = TextOutput(descriptor: STDOUT_FILENO).write(answer.output)
            _ = TextOutput(descriptor: STDERR_FILENO).write(answer.errors)
            return answer.status
        }
    }

    static func answer(_ arguments: [String], in place: ConfigurationPlace) async throws -> ForeignAnswer {
        let isSeed = isSeed(arguments)
        let grammar = isSeed ? ConfigureVMImageGrammar.seed : ConfigureVMImageGrammar.current
        switch ArgparseReader.read(arguments, grammar) {
        case .help: return ForeignAnswer(output: grammar.help)
        case .version: return ForeignAnswer(output: version + "\n")
        case .problem(let message): return .usage(grammar, message)
        case .arguments(let found):
            guard found.unrecognized.isEmpty else {
                return .usage(grammar, "unrecognized arguments: " + found.unrecognized.joined(separator: " "))
            }
            return isSeed
                ? try await ConfigureVMImageSeed(found, place).answer()
                : try await ConfigureVMImageCurrent(found, place).answer()
        }
    }

    /// Whether an option is the older program's alone, or no image is named and the older program would take the line.
    static func isSeed(_ arguments: [String]) -> Bool {
        let current = ConfigureVMImageGrammar.current.options.flatMap(\.names)
        let seed = ConfigureVMImageGrammar.seed.options.flatMap(\.names)
        let names = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }.map { $0.prefix { $0 != "=" } }
        if names.contains(where: { name in
            seed.contains { $0.hasPrefix(name) } && !current.contains { $0.hasPrefix(name) }
        }) {
            return true
        }
        guard case .problem(let message) = ArgparseReader.read(arguments, ConfigureVMImageGrammar.current),
            message.hasPrefix(ArgparseReader.missing),
            case .arguments(let found) = ArgparseReader.read(arguments, ConfigureVMImageGrammar.seed)
        else { return false }
        return found.unrecognized.isEmpty
    }
}

/// Where configure-vm-image works, and what does the work.
struct ConfigurationPlace: Sendable {
    /// Where relative paths start.
    var folder: FilePath
    /// Gets at once what is done, for a person who waits; nil where nobody does.
    var tell: (@Sendable (String) -> Void)?
    var configure: @Sendable (ImageConfigurationRequest, ImageNotes) async throws -> ConfiguredImage

    /// Keeps what is told, and tells it at once where somebody waits.
    func notes(_ keeper: NoteKeeper) -> ImageNotes {
        let tell = tell
        return ImageNotes(
            note: { line in
                keeper.add(line)
                tell?(line)
            },
            warn: { line in
                keeper.warn(line)
                tell?(line)
            })
    }

    /// What is left to tell at the end.
    func warnings(_ keeper: NoteKeeper) -> [String] { tell == nil ? keeper.warnings : [] }

    /// A path from the root, without links and without looking whether it is there.
    func path(_ path: String) -> FilePath { folder.pushing(FilePath(path)).lexicallyNormalized() }

    func isThere(_ path: FilePath) -> Bool {
        var facts = stat()
        return stat(path.string, &facts) == 0
    }
}
