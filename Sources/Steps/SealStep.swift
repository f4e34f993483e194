import Engine
import Model

/// Removes an installer's traces and free space from a disk, without mounting it.
struct SealStep {
    let action: SealAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        throw FactoryError(.unavailable, "installations are not built by this version yet")
    }
}
