import ArgumentParser
import FactoryCore
import Model

struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a build would do, as JSON; the same bytes for the same inputs.")

    @OptionGroup var definition: DefinitionOptions

    func run() async throws {
        let factory = try Host.factory()
        let request = try definition.request()
        try await Ending.status(Display.plain) {
            let prepared = try await factory.prepare(request)
            for warning in prepared.warnings { Display.warn(warning) }
            print(try Canonical.text(prepared.plan), terminator: "")
        }
    }
}
