import Engine
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// An engine with a scripted runner and a cache in a folder.
private struct Bench {
    let cache: FolderCache
    let recorder = EventRecorder()

    static func with(_ body: (Bench) async throws -> Void) async throws {
        try await Scratch.with { try await body(Bench(cache: FolderCache($0.path))) }
    }

    func run(_ plan: BuildPlan, _ runner: ScriptedRunner, jobs: Int = 2) async throws -> [String: StepResult] {
        try await Engine(runner: runner, cache: cache, clock: EventRecorder.clock, jobs: jobs)
            .run(plan, events: recorder.log())
    }
}

@Suite struct EngineTests {
    @Test func `Steps run in order, and each gets the files of those before it`() async throws {
        try await Bench.with { bench in
            let seen = Mutex<[String: String]>([:])
            let runner = ScriptedRunner { step, context in
                for (role, path) in context.inputs {
                    seen.withLock { $0["\(step.name)<\(role)"] = try? Scratch.read(path) }
                }
                try Scratch.write("of " + step.name, context.output.appending("out.txt"))
            }
            let results = try await bench.run(Plans.diamond(), runner, jobs: 1)
            #expect(runner.started == ["top", "left", "right", "bottom"])
            #expect(
                seen.withLock { $0 } == [
                    "left<top": "of top", "right<top": "of top", "bottom<left": "of left", "bottom<right": "of right",
                ])
            #expect(results.keys.sorted() == ["bottom", "left", "right", "top"])
            #expect(bench.cache.state.withLock { $0.committed } == ["top", "left", "right", "bottom"])
        }
    }

    @Test(arguments: [1, 2, 3])
    func `No more steps run at once than is allowed, and as many as that`(jobs: Int) async throws {
        try await Bench.with { bench in
            let runner = ScriptedRunner { _, _ in try await Task.sleep(for: .milliseconds(20)) }
            _ = try await bench.run(Plans.independent(9), runner, jobs: jobs)
            #expect(runner.state.withLock { $0.mostRunning } == jobs)
        }
    }

    @Test func `What is cached is not made again`() async throws {
        try await Bench.with { bench in
            _ = try await bench.run(Plans.diamond(), ScriptedRunner())
            let second = Bench(cache: bench.cache)
            let runner = ScriptedRunner()
            _ = try await second.run(Plans.diamond(), runner)
            #expect(runner.started.isEmpty)
            #expect(second.recorder.story.filter { $0.hasSuffix("reused") }.count == 4)
            #expect(!second.recorder.story.contains { $0.hasPrefix("started") })
        }
    }

    @Test func `A changed step is made again, and what follows it`() async throws {
        try await Bench.with { bench in
            _ = try await bench.run(Plans.plan([("a", []), ("b", ["a"])]), ScriptedRunner())
            let runner = ScriptedRunner()
            _ = try await bench.run(Plans.plan([("a", []), ("c", ["a"]), ("d", ["c"])]), runner)
            #expect(runner.started == ["c", "d"])
        }
    }

    @Test func `The first failure ends the rest and is the error`() async throws {
        try await Bench.with { bench in
            let runner = ScriptedRunner { step, _ in
                if step.name == "s1" { throw FactoryError(.failed, "s1 broke", remedy: "mend s1") }
                try await Task.sleep(for: .seconds(60))
            }
            let error = await #expect(throws: FactoryError.self) {
                _ = try await bench.run(Plans.independent(4), runner)
            }
            #expect(error?.message == "s1 broke")
            #expect(error?.remedy == "mend s1")
            #expect(error?.activity == "making s1")
            #expect(error?.log == bench.cache.folder.appending("s1").appending("log").string)
            // The failure may come before its neighbour began, but nothing starts after it.
            #expect(runner.started.contains("s1"))
            #expect(Set(runner.started).isDisjoint(with: ["s2", "s3"]))
            #expect(bench.cache.state.withLock { Set($0.discarded) } == ["s0", "s1"])
            #expect(bench.recorder.story.contains("finished s1 failed"))
            #expect(bench.recorder.story.contains("finished s0 cancelled"))
        }
    }

    @Test func `A step that fails because another did is not the error`() async throws {
        try await Bench.with { bench in
            let runner = ScriptedRunner { step, _ in
                if step.name == "s1" { throw FactoryError(.failed, "s1 broke") }
                try? await Task.sleep(for: .seconds(60))
                throw FactoryError(.failed, "the program ended by a signal")
            }
            let error = await #expect(throws: FactoryError.self) {
                _ = try await bench.run(Plans.independent(2), runner)
            }
            #expect(error?.message == "s1 broke")
            #expect(bench.recorder.story.contains("finished s0 cancelled"))
        }
    }

    @Test func `An error that no step should throw is told as a defect`() async throws {
        try await Bench.with { bench in
            struct Defect: Error {}
            let runner = ScriptedRunner { _, _ in throw Defect() }
            let error = await #expect(throws: FactoryError.self) {
                _ = try await bench.run(Plans.independent(1), runner)
            }
            #expect(error?.code == .internal)
            #expect(error?.activity == "making s0")
        }
    }

    @Test func `A system call that fails in a step is told with a remedy`() async throws {
        try await Bench.with { bench in
            let runner = ScriptedRunner { _, _ in throw Errno.ioError }
            let error = await #expect(throws: FactoryError.self) {
                _ = try await bench.run(Plans.independent(1), runner)
            }
            #expect(error?.code == .osFailure)
            #expect(error?.remedy == FileFailure.remedy(.ioError))
        }
    }

    @Test(arguments: ["top", "left", "right", "bottom"])
    func `A build that is cancelled while a step runs keeps what was done and discards that step`(
        victim: String
    ) async throws {
        try await Bench.with { bench in
            let reached = AsyncStream<Void>.makeStream()
            let runner = ScriptedRunner { step, context in
                if step.name == victim {
                    reached.continuation.finish()
                    try await Task.sleep(for: .seconds(60))
                }
                try Scratch.write("x", context.output.appending("out.txt"))
            }
            let build = Task { try await bench.run(Plans.diamond(), runner, jobs: 1) }
            for await _ in reached.stream {}
            build.cancel()
            await #expect(throws: CancellationError.self) { _ = try await build.value }
            let before = Array(["top", "left", "right", "bottom"].prefix { $0 != victim })
            #expect(bench.cache.state.withLock { $0.committed } == before)
            #expect(bench.cache.state.withLock { $0.discarded } == [victim])
            #expect(bench.recorder.story.last == "finished \(victim) cancelled")
        }
    }

    @Test func `A step that ignores the cancellation is not committed`() async throws {
        try await Bench.with { bench in
            let runner = ScriptedRunner { _, _ in withUnsafeCurrentTask { $0?.cancel() } }
            await #expect(throws: CancellationError.self) { _ = try await bench.run(Plans.independent(1), runner) }
            #expect(bench.cache.state.withLock { $0.committed }.isEmpty)
        }
    }

    @Test func `Events are numbered without gaps and in order`() async throws {
        try await Bench.with { bench in
            let runner = ScriptedRunner { _, context in
                for line in 0..<50 { context.report.log("\(line)") }
            }
            _ = try await bench.run(Plans.independent(4), runner, jobs: 4)
            #expect(bench.recorder.events.map(\.number) == Array(1...(1 + 4 * 52)))
        }
    }

    @Test func `A build is told from its plan to its last step`() async throws {
        try await Bench.with { bench in
            _ = try await bench.run(Plans.plan([("a", []), ("b", ["a"])]), ScriptedRunner())
            #expect(
                bench.recorder.story == [
                    "planned a b", "started a", "finished a succeeded", "started b", "finished b succeeded",
                ])
        }
    }

    @Test func `What a step says is in its log file`() async throws {
        try await Bench.with { bench in
            let runner = ScriptedRunner { _, context in
                context.report.log("one")
                context.report.progress(1, of: 2)
                context.report.warn("two")
            }
            _ = try await bench.run(Plans.independent(1), runner)
            let log = bench.cache.folder.appending("s0").appending("log")
            #expect(try Scratch.read(log) == "one\nwarning: two\n")
        }
    }
}
