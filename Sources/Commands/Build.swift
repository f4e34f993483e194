import ArgumentParser
import FactoryCore
import Glibc
import Model
import SystemPackage

struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build the image of a definition.",
        discussion: """
            The image lies in the output folder as NAME-VERSION.FORMAT, with .sha256sum beside it and a \
            NAME-VERSION.manifest.json beside all. Steps whose inputs have not changed are reused.
            """)

    @OptionGroup var definition: DefinitionOptions
    @OptionGroup var output: OutputOptions

    @Option(name: [.customLong("output"), .customShort("o")], help: "The folder for the image.")
    var folder = "."

    @Option(name: .shortAndLong, help: "How many steps may run at once.")
    var jobs = 2

    func validate() throws {
        guard jobs >= 1 else { throw ValidationError("--jobs takes a number from 1") }
    }

    func run() async throws {
        let display = Display(output)
        let factory = try Host.factory()
        let request = try definition.request(output: FilePath(folder), jobs: jobs)
        try await Ending.status(display) {
            let report = try await factory.build(request, consumers: display.consumers)
            display.finish()
            display.show(report)
        }
    }
}
