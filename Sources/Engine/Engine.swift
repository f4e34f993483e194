package import Model
import SystemPackage

/// Runs one plan: what is cached is reused, what is ready runs, the first failure ends the rest.
package struct Engine: Sendable {
    private let runner: any StepRunning
    private let cache: any ResultCache
    private let clock: WallClock
    private let jobs: Int

    package init(runner: any StepRunning, cache: any ResultCache, clock: WallClock, jobs: Int) {
        self.runner = runner
        self.cache = cache
        self.clock = clock
        self.jobs = jobs
    }

    /// The results by step name. Throws the first failure after everything that ran has ended; a cancelled task
    /// throws `CancellationError`.
    package func run(_ plan: BuildPlan, events: EventLog) async throws -> [String: StepResult] {
        events.send(.planned(steps: plan.steps.map { .init(name: $0.name, title: runner.title(of: $0)) }))
        var schedule = Schedule(plan.steps, jobs: jobs)
        var results: [String: StepResult] = [:]
        try await withThrowingTaskGroup(of: (String, StepResult).self) { group in
            repeat {
                for step in schedule.start() {
                    let inputs = step.inputs.compactMapValues { input in
                        results[input.step]?.folder.appending(input.file)
                    }
                    group.addTask { (step.name, try await run(step, inputs: inputs, events: events)) }
                }
                guard let (name, result) = try await group.next() else { break }
                results[name] = result
                schedule.finish(name)
            } while !schedule.isFinished
        }
        return results
    }

    private func run(_ step: Step, inputs: [String: FilePath], events: EventLog) async throws -> StepResult {
        let start = clock.now()
        do {
            switch try await begin(step, events) {
            case .found(let result):
                events.send(.finished(step: step.name, outcome: .reused, seconds: clock.now() - start))
                return result
            case .mine(let pending):
                let result = try await perform(step, inputs: inputs, pending: pending, events: events)
                events.send(.finished(step: step.name, outcome: .succeeded, seconds: result.record.seconds))
                return result
            }
        } catch let error as CancellationError {
            events.send(.finished(step: step.name, outcome: .cancelled, seconds: clock.now() - start))
            throw error
        } catch {
            events.send(.finished(step: step.name, outcome: .failed, seconds: clock.now() - start))
            throw error
        }
    }

    private func begin(_ step: Step, _ events: EventLog) async throws -> BeginOutcome {
        if let result = try await cache.lookup(step.id) { return .found(result) }
        return try await cache.begin(step) {
            events.send(.started(step: step.name, activity: "waiting for another build that makes the same"))
        }
    }

    /// Leaves the log of a step that failed; a step that was cancelled leaves nothing.
    private func perform(
        _ step: Step, inputs: [String: FilePath], pending: any PendingResult, events: EventLog
    ) async throws -> StepResult {
        let start = clock.now()
        let title = runner.title(of: step)
        events.send(.started(step: step.name, activity: title))
        let log = StepLog(pending.log)
        let report = StepReport(step: step.name) { kind in
            log.append(kind)
            events.send(kind)
        }
        let context = StepContext(
            inputs: inputs, output: pending.output, scratch: pending.scratch, report: report)
        do {
            try Task.checkCancellation()
            try await runner.run(step, in: context)
            try Task.checkCancellation()
            let now = clock.now()
            return try await pending.commit(
                StepRecord(id: step.id, name: step.name, made: now, seconds: now - start))
        } catch {
            await pending.discard()
            // A program that cancellation ended reports how it ended: that is no failure of its own.
            if Task.isCancelled {
                StepLog.remove(pending.log)
                throw CancellationError()
            }
            var failure =
                error as? FactoryError
                ?? (error as? Errno).map { FactoryError(.osFailure, "\($0)", remedy: FileFailure.remedy($0)) }
                ?? FactoryError(.internal, "\(error)")
            failure.log = failure.log ?? pending.log.string
            throw failure.during(title)
        }
    }
}
