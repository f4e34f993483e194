package import Model
import Yams

/// Which gen-vm-image a file is read for.
package enum ArchitectureGeneration: Hashable, Sendable {
    /// The first one: `get_url` and `checksum` of an image, both required as its version is.
    case seed
    /// 0.0.8: an `input` section. What the first one had is read too.
    case current
}

/// An architecture file as somebody asks for it.
package struct ArchitectureRequest: Sendable {
    package var bytes: [UInt8]
    /// As the user gave it: messages show it.
    package var file: String
    package var generation: ArchitectureGeneration
    /// Where relative paths of inputs start: the current folder, as gen-vm-image has it; absolute.
    package var folder: String

    package init(bytes: [UInt8], file: String, generation: ArchitectureGeneration, folder: String) {
        self.bytes = bytes
        self.file = file
        self.generation = generation
        self.folder = folder
    }
}

/// The images of an architecture file.
package struct ImageArchitecture: Hashable, Sendable {
    package struct Image: Hashable, Sendable {
        /// What the file calls it, and with it pipelines and messages.
        package var key: String
        package var name: String
        /// Nil: the image has none, and its file's name neither.
        package var version: LiteralText?
        package var base: ImageBase

        package init(key: String, name: String, version: LiteralText?, base: ImageBase) {
            self.key = key
            self.name = name
            self.version = version
            self.base = base
        }

        /// NAME or NAME-VERSION.
        package var fullName: String { name + (version.map { "-" + $0.text } ?? "") }

        /// NAME-VERSION.FORMAT.
        package var fileName: String { fullName + "." + base.format.rawValue }

        /// What is built. What is inside of the disk is not known.
        package var definition: ImageDefinition {
            ImageDefinition(
                name: name, version: version?.text ?? "", os: OperatingSystem(distribution: "linux", release: ""),
                base: .image(base), outputs: [], bootCheck: BootCheck(enabled: false))
        }
    }

    package var owner: String
    /// In the order of the file.
    package var images: [Image]
}

/// A text as a YAML file has it: what a program reads that takes it for a number may be another one.
package struct LiteralText: Hashable, Sendable {
    package var text: String
    /// Whether it stands there without quotes, and so may be a number.
    package var isPlain: Bool

    package init(_ text: String, isPlain: Bool = false) {
        self.text = text
        self.isPlain = isPlain
    }
}

/// The problems of an architecture file, with what gen-vm-image says of the first one.
package struct InvalidArchitecture: Error, Sendable {
    /// What is wrong, as the exit codes of gen-vm-image tell it apart.
    package enum Kind: Hashable, Sendable {
        case unreadable
        /// `owner` or `images` is not there.
        case missingRoot
        case missing
        case wrongType
        /// The checksum is no map.
        case checksumMap
        /// Something is missing in it.
        case checksumEntry
        case checksumEntryType
        /// There is no such function.
        case checksumType
        /// It is no value of its function.
        case checksumValue
    }

    package var kind: Kind
    /// One line, in gen-vm-image's words.
    package var message: String
    /// All problems, with their places.
    package var input: InvalidInput
}

/// The architecture file of gen-vm-image: load, check, lower.
package enum ArchitectureDialect {
    /// The images with the warnings that the file gave. Throws all problems at once.
    package static func parse(
        _ request: ArchitectureRequest
    ) throws(InvalidArchitecture) -> (architecture: ImageArchitecture, warnings: [Diagnostic]) {
        let problems = ArchitectureProblems(file: request.file)
        if let root = YAMLLoad.node(request.bytes, problems.diagnostics) {
            let reader = ArchitectureReader(request: request, problems: problems)
            if let architecture = reader.architecture(root), problems.first == nil {
                return (architecture, problems.diagnostics.sorted)
            }
        }
        let first = problems.first ?? (.unreadable, "Failed to load path: \(YAMLLoad.oneLine(request.file))")
        throw InvalidArchitecture(
            kind: first.kind, message: first.message, input: InvalidInput(problems.diagnostics.sorted))
    }
}

/// Collects the problems of an architecture file. The first one is told in the words of gen-vm-image too, which looks at
/// a file in an order of its own and ends there.
final class ArchitectureProblems {
    let diagnostics: YAMLProblems
    private(set) var first: (kind: InvalidArchitecture.Kind, message: String)?

    init(file: String) { diagnostics = YAMLProblems(file: file) }

    /// - Parameter known: as gen-vm-image says it.
    func error(_ kind: InvalidArchitecture.Kind, _ place: Place, _ message: String, known: String) {
        if first == nil { first = (kind, known) }
        diagnostics.error(place, message)
    }

    func warn(_ place: Place, _ message: String) { diagnostics.warn(place, message) }

    /// A value that is none of those that may stand there.
    ///
    /// - Parameters:
    ///   - wanted: for people, with an article.
    ///   - known: as gen-vm-image says it.
    func wrong(
        _ node: Node, _ key: String, _ wanted: String, known: String, _ kind: InvalidArchitecture.Kind = .wrongType
    ) {
        let found: String
        switch node {
        case .scalar(let scalar): found = scalar.string.isEmpty ? "nothing" : "'\(YAMLLoad.quoted(scalar.string))'"
        case .sequence: found = "a list"
        case .mapping: found = "a map"
        case .alias: found = "an alias"
        }
        error(
            kind, YAMLLoad.place(node.mark), "'\(key)' must be \(wanted), found \(found)",
            known: "Invalid attribute type: \(PythonText.type(node)) for value: \(PythonText.string(node)) "
                + "- must be \(known)")
    }
}
