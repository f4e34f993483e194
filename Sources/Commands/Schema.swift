import ArgumentParser
import FactoryCore

struct Schema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema of definitions, with which editors complete and check.")

    func run() async throws { try await Session.run { try Session.tell(DefinitionLoading.schema() + "\n") } }
}
