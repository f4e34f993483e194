import ArgumentParser
import FactoryCore
import Model

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell which steps a build would reuse, which would run, and which input changed.")

    @OptionGroup var definition: DefinitionOptions

    func run() async throws {
        let definition = definition
        try await Session.run {
            let (prepared, explanations) = try await Host.factory().explain(try definition.request())
            for warning in prepared.warnings { Session.warn(warning) }
            let width = explanations.map(\.step.count).max() ?? 0
            let lines = explanations.flatMap { explanation in
                let name = explanation.step + String(repeating: " ", count: width - explanation.step.count)
                return ["\(name)  \(explanation.cached ? "reused" : "runs")"]
                    + explanation.reasons.map { String(repeating: " ", count: width + 4) + $0 }
            }
            try Session.tell(lines.map { $0 + "\n" }.joined())
        }
    }
}
