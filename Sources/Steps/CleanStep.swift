import Engine
import Model
import Tooling

/// Removes from a tree what belongs to the machine that built it, or to one instance and not to all. A step of its own:
/// what it removes can change, and the configured tree is still good.
struct CleanStep {
    let action: CleanAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        var work = try ContainedWork(context, network: .none)
        work.bind(try context.input("tree"), "/mnt/tree.tar")
        let secrets = try environment.secrets(named: action.secrets)
        try work.offer(secrets, in: context.scratch)
        let inside = CleanInside(action: action, trees: work.trees)
        try await InsideProgram.run(
            .clean(inside), work: work, environment: environment, context: context,
            secrets: secrets.flatMap(\.maskedTexts))
    }
}
