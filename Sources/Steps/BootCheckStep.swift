import Engine
import Model
struct BootCheckStep { let action: BootCheckAction; let environment: StepEnvironment
 func run(in context: StepContext) async throws { throw FactoryError(.internal, "soon") } }
package struct BootCheckRecord: Hashable, Sendable, Codable {
    package var seconds: Double
    package var accelerator: String
    package var seen: String
}
