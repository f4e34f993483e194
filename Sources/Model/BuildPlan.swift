/// What a build will do: steps in topological order. The same definition, releases and tools give the same bytes.
package struct BuildPlan: Hashable, Sendable, Codable {
    /// Raised when a step's meaning changes without its action changing: it is part of every step's identity.
    package static let format = 2

    package var name: String
    package var version: String
    /// Of the definition, as lowered to the model.
    package var definition: Digest
    package var steps: [Step]
    /// The finished files, each the result of a step.
    package var artifacts: [PlannedArtifact]

    package init(name: String, version: String, definition: Digest, steps: [Step], artifacts: [PlannedArtifact]) {
        self.name = name
        self.version = version
        self.definition = definition
        self.steps = steps
        self.artifacts = artifacts
    }

    package func step(named name: String) -> Step? { steps.first { $0.name == name } }
}

/// A file that leaves the store at the end of a build.
package struct PlannedArtifact: Hashable, Sendable, Codable {
    /// The name it gets: `NAME-VERSION.FORMAT`.
    package var file: String
    package var format: Output.Format
    /// Where it comes from.
    package var source: StepInput
    /// The step whose result is its digest.
    package var digestStep: String

    package init(file: String, format: Output.Format, source: StepInput, digestStep: String) {
        self.file = file
        self.format = format
        self.source = source
        self.digestStep = digestStep
    }
}

/// One file that a step takes from an earlier step's result.
package struct StepInput: Hashable, Sendable, Codable {
    package var step: String
    package var file: String

    package init(step: String, file: String) {
        self.step = step
        self.file = file
    }
}

/// One action with its inputs. Its id is what decides whether a result can be reused.
package struct Step: Hashable, Sendable, Codable {
    /// SHA-256 of the canonical form of format, action, input ids and tool versions.
    package var id: Digest
    /// Unique in the plan; no part of the id.
    package var name: String
    package var action: Action
    /// By the role that the action gives each.
    package var inputs: [String: StepInput]
    /// Versions of the programs whose bytes reach the result.
    package var tools: [String: String]

    package init(
        name: String, action: Action, inputs: [String: StepInput], tools: [String: String], after earlier: [Step]
    ) throws {
        self.name = name
        self.action = action
        self.inputs = inputs
        self.tools = tools
        let ids = Dictionary(uniqueKeysWithValues: earlier.map { ($0.name, $0.id) })
        let identity = Identity(
            format: BuildPlan.format, action: action,
            inputs: inputs.mapValues { "\(ids[$0.step]?.description ?? "")/\($0.file)" }, tools: tools)
        id = try Canonical.digest(identity)
    }

    private struct Identity: Encodable {
        var format: Int
        var action: Action
        var inputs: [String: String]
        var tools: [String: String]
    }
}
