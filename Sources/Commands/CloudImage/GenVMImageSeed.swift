import FactoryCore
import Glibc
import Model
import SystemPackage

/// The first gen-vm-image, which has no subcommands: it makes all images of an architecture file, and pipelines for
/// GoCD. It prints lines.
enum GenVMImageSeed {
    static func answer(
        _ arguments: [String], _ factory: () throws -> Factory
    ) async throws -> ForeignAnswer {
        let grammar = GenVMImageGrammar.seed
        switch ArgparseReader.read(arguments, grammar) {
        case .help, .version: return ForeignAnswer(output: grammar.help)
        case .problem(let message): return .usage(grammar, message)
        case .arguments(let found):
            guard found.unrecognized.isEmpty else {
                return .usage(grammar, "unrecognized arguments: " + found.unrecognized.joined(separator: " "))
            }
            return try await make(found, factory)
        }
    }

    private static func make(
        _ arguments: ArgparseArguments, _ factory: () throws -> Factory
    ) async throws -> ForeignAnswer {
        let lines = NoteKeeper()
        do {
            let file = FilePath(arguments.values["--architecture-path"] ?? "architecture.yml")
            let architecture = try LoadedArchitecture(file, for: .seed, folder: WorkingFolder.path())
            for warning in architecture.warnings { lines.warn(warning.description) }
            try await images(of: architecture, file, arguments, lines, factory)
            if arguments.has("--generate-gocd-config") {
                let name = arguments.values["--gocd-config-name"] ?? "1.gocd.yml"
                let text = architecture.pipelines(
                    branch: arguments.values["--gocd-build-branch"] ?? "main",
                    oldSpelling: arguments.has("--gocd-compat"))
                do {
                    try WholeText.write(text, to: FilePath(name))
                } catch let error as FactoryError {
                    throw ImageGenerationFailure(.create(name), error.message)
                }
                lines.add("Generated a new GOCD config in: \(WorkingFolder.absolute(name))")
            }
            return ForeignAnswer(output: text(lines), errors: ForeignAnswer.lines(lines.warnings))
        } catch let failure as ImageGenerationFailure {
            let (code, message) = code(of: failure)
            lines.add(message)
            let cause = message.contains(failure.message) ? [] : [failure.message]
            let errors = ForeignAnswer.lines(lines.warnings + cause + failure.details)
            return ForeignAnswer(output: text(lines), errors: errors, status: code)
        }
    }

    private static func text(_ lines: NoteKeeper) -> String { lines.notes.map { $0 + "\n" }.joined() }

    private static func images(
        of architecture: LoadedArchitecture, _ file: FilePath, _ arguments: ArgparseArguments, _ lines: NoteKeeper,
        _ factory: () throws -> Factory
    ) async throws {
        let images = architecture.images
        let asked = arguments.values["--image-output-path"] ?? "generated-images/image.qcow2"
        let paths = GenVMImageOutputs.paths(for: images, at: asked, isFolder: GenVMImageOutputs.isFolder)
        try GenVMImageOutputs.requireDistinct(
            zip(images, paths).map { ($0.key, $1) }, file: file.string)
        let owner = arguments.values["--generated-image-owner"] ?? "qemu"
        for (image, path) in zip(images, paths) {
            let notes = ImageNotes(
                // The older program says of all that is done only this.
                note: { if $0.hasPrefix("The calculated checksum: ") { lines.add($0) } }, warn: lines.warn)
            _ = try await factory().generate(image, to: FilePath(path), overwrite: true, telling: notes)
            ImageOwner(name: owner).own(path) { lines.add($0) }
            lines.add("Created VM disk image at: \(WorkingFolder.absolute(path))")
        }
    }

    /// The exit code with the message that belongs to it. What the older program had no code for, because it went on, is 1.
    static func code(of failure: ImageGenerationFailure) -> (code: Int32, message: String) {
        switch failure.reason {
        case .noDefinition(let path): (255, "Failed to load path: \(path)")
        case .definition(let mistake):
            switch mistake {
            case .unreadable, .missingRoot: (255, failure.message)
            case .missing, .wrongType: (254, failure.message)
            case .checksumMap: (253, failure.message)
            case .checksumEntry, .checksumEntryType: (252, failure.message)
            case .checksumType: (251, failure.message)
            case .checksumValue: (250, failure.message)
            }
        case .checksum(let found?, let wanted):
            (
                250,
                "The checksum of the downloaded image does not match the expected checksum: \(found) != \(wanted)"
            )
        case .checksum: (251, "Failed to calculate the checksum of the downloaded image")
        default: (1, GenVMImageCurrent.code(of: failure).message)
        }
    }
}

/// The user and the group of one name, to whom root gives images.
struct ImageOwner {
    let name: String

    /// Tells what keeps the file from being theirs; that is no failure.
    func own(_ path: String, tell: (String) -> Void) {
        guard let user = getpwnam(name) else {
            return tell("Failed to discover user uid: \(name) - there is no such user")
        }
        let userID = user.pointee.pw_uid
        guard let group = getgrnam(name) else {
            return tell("Failed to discover user group gid: \(name) - there is no such group")
        }
        let groupID = group.pointee.gr_gid
        guard userID != 0, groupID != 0 else { return }
        if chown(path, userID, groupID) != 0 {
            tell("Failed to give \(path) to \(name): \(Errno(rawValue: errno))")
        }
    }
}
