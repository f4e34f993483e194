import Engine
import Model

/// Lets a distribution's installer install onto an empty disk, in a virtual machine.
struct InstallStep {
    let action: InstallAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        throw FactoryError(.unavailable, "installations are not built by this version yet")
    }
}
