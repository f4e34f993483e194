package import Model
package import SystemPackage

/// Performs actions. The engine knows no tool: what a step does is behind this door.
package protocol StepRunning: Sendable {
    /// Does the step's work and leaves its result files in `context.output`. Throws `FactoryError`, or
    /// `CancellationError` when the task was cancelled; it must have ended everything it started by then.
    func run(_ step: Step, in context: StepContext) async throws

    /// What the step does, for people: "installing 143 packages of Debian trixie".
    func title(of step: Step) -> String
}

/// What a running step is given.
package struct StepContext: Sendable {
    /// Files of earlier results, by role. Read-only.
    package var inputs: [String: FilePath]
    /// An empty folder that becomes the step's result.
    package var output: FilePath
    /// A folder for anything else; it is removed after the step.
    package var scratch: FilePath
    package var report: StepReport

    package init(inputs: [String: FilePath], output: FilePath, scratch: FilePath, report: StepReport) {
        self.inputs = inputs
        self.output = output
        self.scratch = scratch
        self.report = report
    }

    /// The input of a role; a plan without it is a defect of the planner.
    package func input(_ role: String) throws -> FilePath {
        guard let path = inputs[role] else {
            throw FactoryError(.internal, "the plan gives this step no input '\(role)'")
        }
        return path
    }
}

/// Where a step tells what it does.
package struct StepReport: Sendable {
    private let step: String
    private let send: @Sendable (BuildEvent.Kind) -> Void

    package init(step: String, send: @escaping @Sendable (BuildEvent.Kind) -> Void) {
        self.step = step
        self.send = send
    }

    package func log(_ line: String) { send(.log(step: step, line: line)) }

    /// What the step does from now on, where it has several stages.
    package func begin(_ activity: String) { send(.started(step: step, activity: activity)) }

    package func warn(_ message: String) { send(.warning(step: step, message: message)) }

    package func progress(_ done: UInt64, of total: UInt64?, unit: String? = nil) {
        send(.progress(step: step, done: done, total: total, unit: unit))
    }
}
