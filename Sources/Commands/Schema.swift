import ArgumentParser
import FactoryCore

struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema of definitions, with which editors complete and check.")

    func run() { print(DefinitionLoading.schema()) }
}
