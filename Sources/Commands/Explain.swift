import ArgumentParser
import FactoryCore
import Model

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell which steps a build would reuse, which would run, and which input changed.")

    @OptionGroup var definition: DefinitionOptions

    func run() async throws {
        let factory = try Host.factory()
        let request = try definition.request()
        try await Ending.status(Display.plain) {
            let (prepared, explanations) = try await factory.explain(request)
            for warning in prepared.warnings { Display.warn(warning) }
            let width = explanations.map(\.step.count).max() ?? 0
            for explanation in explanations {
                let name = explanation.step + String(repeating: " ", count: width - explanation.step.count)
                print("\(name)  \(explanation.cached ? "reused" : "runs")")
                for reason in explanation.reasons { print(String(repeating: " ", count: width + 4) + reason) }
            }
        }
    }
}
