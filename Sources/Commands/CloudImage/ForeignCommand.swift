import ArgumentParser
import Glibc
import Model

/// A program whose command line and results this one serves under that program's name.
protocol ForeignCommand: Sendable {
    /// The name of the program.
    static var name: String { get }

    /// Runs to the end and returns the exit status. What it prints is what that program prints.
    static func run(_ arguments: [String]) async -> Int32
}

/// The programs that this one stands for: by a link of that name, or by `image-factory as NAME`.
enum ForeignCommands {
    static let all: [any ForeignCommand.Type] = [GenVMImage.self, ConfigureVMImage.self, CloudLocalds.self]

    /// The program of a name, which may be a path.
    static func named(_ name: String) -> (any ForeignCommand.Type)? {
        let last = name.split(separator: "/").last.map(String.init) ?? ""
        return all.first { $0.name == last }
    }

    static var names: String { all.map { $0.name }.joined(separator: ", ") }
}

struct As: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Be another program: take its command line, and answer as it does.",
        discussion: "Known are: \(ForeignCommands.names). 'image-factory install-links' makes links of these names.")

    @Argument(parsing: .captureForPassthrough, help: "The program's name, then its arguments.")
    var words: [String] = []

    func run() async throws {
        guard let name = words.first else {
            throw ValidationError("give the name of a program: \(ForeignCommands.names)")
        }
        if name == "-h" || name == "--help" { throw CleanExit.helpRequest(Self.self) }
        guard let command = ForeignCommands.named(name) else {
            throw ValidationError("'\(name)' is none of the programs that are known: \(ForeignCommands.names)")
        }
        let status = await command.run(Array(words.dropFirst()))
        guard status == 0 else { throw ExitCode(status) }
    }
}
