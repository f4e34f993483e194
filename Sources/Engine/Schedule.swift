package import Model

/// Decides which steps may start: pure, no time, no tasks.
package struct Schedule {
    private var waiting: [Step]
    private var running: Set<String> = []
    private var done: Set<String> = []
    private let jobs: Int

    /// Steps in topological order; at most `jobs` run at once.
    package init(_ steps: [Step], jobs: Int) {
        waiting = steps
        self.jobs = max(1, jobs)
    }

    package var isFinished: Bool { waiting.isEmpty && running.isEmpty }

    /// The steps that start now, in plan order.
    package mutating func start() -> [Step] {
        var started: [Step] = []
        for step in waiting where running.count < jobs {
            guard step.inputs.values.allSatisfy({ done.contains($0.step) }) else { continue }
            running.insert(step.name)
            started.append(step)
        }
        waiting.removeAll { step in started.contains { $0.name == step.name } }
        return started
    }

    package mutating func finish(_ name: String) {
        running.remove(name)
        done.insert(name)
    }
}
