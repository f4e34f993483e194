package import Model
import Synchronization

/// Keeps how each step of a build ended and how long it took, for `BuildSummary`.
package final class StepTimes: EventRenderer {
    private let state = Mutex(BuildState())

    package init() {}

    package func consume(_ event: BuildEvent) {
        switch event.kind {
        case .planned, .finished, .ended: state.withLock { $0.apply(event) }
        default: break
        }
    }

    package func finish() {}

    /// The finished steps, in the order of the plan.
    package var steps: [BuildSummary.Step] {
        state.withLock(\.steps).compactMap { step in
            step.outcome.map { BuildSummary.Step(name: step.name, outcome: $0, seconds: step.seconds) }
        }
    }
}
