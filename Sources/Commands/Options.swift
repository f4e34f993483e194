import ArgumentParser
import FactoryCore
import Glibc
import Model
import SystemPackage

/// What every command that reads a definition takes.
struct DefinitionOptions: ParsableArguments {
    @Argument(help: "A definition: the path of a YAML file. Or an image: a section of image-factory.conf.")
    var definition: String

    @OptionGroup(title: "Options for images of image-factory.conf") var image: ImageOptions

    @Option(name: .customLong("set"), help: "Give a variable of the definition a value; may be repeated.")
    var variables: [Assignment] = []

    @Flag(help: "Use the package lists and packages that are cached; ask no mirror.")
    var offline = false

    @Flag(help: "Install exactly the packages of NAME.lock beside the definition.")
    var locked = false

    func request(
        output: FilePath = ".", updateLock: Bool = false, jobs: Int = 2, signing: Signing? = nil
    ) throws -> BuildRequest {
        return BuildRequest(
            definition: try source(updateLock: updateLock), set: variables.map { ($0.name, $0.value) }, output: output,
            offline: offline, lock: updateLock ? .update : locked ? .locked : .none, jobs: jobs,
            signing: signing)
    }

    private func source(updateLock: Bool) throws -> DefinitionSource {
        let settings = image.settings
        if DefinitionLoading.isPath(definition) {
            guard let first = settings.first else { return .file(FilePath(definition)) }
            throw FactoryError(
                .usage, "\(first.option) is for images of image-factory.conf",
                remedy: "write it into the definition \(definition)")
        }
        guard !definition.hasSuffix(".yaml"), !definition.hasSuffix(".yml") else {
            throw FactoryError(
                .missingInput, "there is no file '\(definition)'",
                remedy: "give the path of a definition, such as examples/debian-13.yaml")
        }
        let foreign = variables.isEmpty ? locked ? "--locked" : updateLock ? "--update-lock" : nil : "--set"
        if let foreign {
            throw FactoryError(
                .usage, "\(foreign) is for definitions, and there is no file '\(definition)'",
                remedy: "leave it out, or give the path of a definition")
        }
        return .image(definition, settings)
    }
}

/// `name=value`.
struct Assignment: ExpressibleByArgument, Sendable {
    let name: String
    let value: String

    init?(argument: String) {
        guard let at = argument.firstIndex(of: "="), at != argument.startIndex else { return nil }
        name = String(argument[..<at])
        value = String(argument[argument.index(after: at)...])
    }
}

/// How a command shows what happens.
struct OutputOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Show every line of every step's log.")
    var verbose = false

    @Flag(name: .shortAndLong, help: "Show warnings and failures only.")
    var quiet = false

    @Flag(help: "Print plain lines even on a terminal.")
    var plain = false

    @Flag(help: "Print the events as JSON lines on standard output.")
    var json = false

    func validate() throws {
        guard !(verbose && quiet) else { throw ValidationError("--verbose and --quiet exclude each other") }
    }

    var style: ProgressStyle { json ? .json : plain ? .plain : .automatic }

    var verbosity: Verbosity { verbose ? .verbose : quiet ? .quiet : .normal }
}

extension ByteCount: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
}

/// A length of time as people write it: `90s`, `15m`, `12h`, `30d`.
struct TimeLength: ExpressibleByArgument, Sendable {
    let seconds: Double

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
        guard let unit = argument.last, let factor = units[unit], let number = Double(argument.dropLast()),
            number >= 0, number < 1e9
        else { return nil }
        seconds = number * factor
    }
}
