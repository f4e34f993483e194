import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Diff: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text
        case json
    }

    static let configuration = CommandConfiguration(
        abstract: "Tell where two images differ, and which files that are.",
        discussion: """
            Both are disk images, of any formats: what a guest sees is compared. Or both are tar files (tar, tar.zst): \
            their members are compared. The exit status is 0 if they are equal, 1 if they differ, 65 if they cannot be \
            compared.
            """)

    @Argument(help: "A disk image or a tar file.")
    var first: String

    @Argument(help: "Another one.")
    var second: String

    @Option(help: "How the differences are printed: text or json.")
    var format = Format.text

    @Option(help: "The most regions or members to tell in detail; text tells 1, json 100.")
    var regions: Int?

    @Flag(name: .shortAndLong, help: "Print nothing if they are equal, and one line if they differ.")
    var quiet = false

    func validate() throws {
        guard regions.map({ (1...10_000).contains($0) }) ?? true else {
            throw ValidationError("--regions takes a number from 1 to 10000")
        }
    }

    func run() async throws {
        let (first, second, format, quiet) = (first, second, format, quiet)
        let limit = regions ?? (format == .json ? 100 : 1)
        let differ = Outcome()
        try await Session.run {
            let report = try await Host.factory().diff(FilePath(first), FilePath(second), limit: limit) {
                Session.note($0)
            }
            let text =
                switch format {
                case .json: try Canonical.text(report)
                case .text:
                    DiffText(report, first, second, traits: TerminalTraits(descriptor: 1)).text(isShort: quiet)
                }
            _ = TextOutput(descriptor: 1).write(text)
            differ.set(!report.isEqual)
        }
        if differ.isSet { throw ExitCode(1) }
    }
}
