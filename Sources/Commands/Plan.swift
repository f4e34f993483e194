import ArgumentParser
import FactoryCore
import Model

struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a build would do, as JSON; the same bytes for the same inputs.")

    @OptionGroup var definition: DefinitionOptions

    func run() async throws {
        let definition = definition
        try await Session.run {
            let prepared = try await Host.factory().prepare(try definition.request())
            for warning in prepared.warnings { Session.warn(warning) }
            try Session.tell(try Canonical.text(prepared.plan))
        }
    }
}
