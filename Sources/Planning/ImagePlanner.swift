package import Model

extension Planner {
    /// The program that brings images into other formats: `PlanningFacts.tools` must have its version.
    package static let imageTool = "qemu-img"

    /// The name of the step that makes the image.
    package static let importStep = "import"

    /// The one step by which an image is made of another one.
    ///
    /// - Parameters:
    ///   - input: the digest of the input's bytes; nil where the base has none.
    ///   - tools: versions of the programs, by name.
    package static func plan(
        _ definition: ImageDefinition, of base: ImageBase, input: Digest?, tools: [String: String]
    ) throws -> BuildPlan {
        let names = [builder, imageTool]
        let versions = Dictionary(uniqueKeysWithValues: names.map { ($0, tools[$0] ?? "unknown") })
        let step = try Step(
            name: importStep, action: .importImage(ImportAction(base, input: input)), inputs: [:], tools: versions,
            after: [])
        return BuildPlan(
            name: definition.name, version: definition.version, definition: try Canonical.digest(definition),
            steps: [step], artifacts: [])
    }
}
