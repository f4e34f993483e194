import Model
import Planning
import TestSupport
import Testing

@Suite struct PlanGoldenTests {
    @Test(arguments: RepositoryFiles.examples)
    func `An example has the plan that was agreed on`(name: String) throws {
        let definition = try Definitions.example(name)
        let text = try Canonical.text(Planner.plan(definition, facts: Facts.of(definition)))
        #expect(text == (try Golden.expected(name + ".json", for: text)))
    }
}
