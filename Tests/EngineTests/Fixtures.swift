import Engine
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport

/// Plans of digest steps: what the steps do is up to the scripted runner.
enum Plans {
    static func plan(_ edges: [(name: String, needs: [String])]) throws -> BuildPlan {
        var steps: [Step] = []
        for edge in edges {
            let inputs = edge.needs.map { ($0, StepInput(step: $0, file: "out.txt")) }
            steps.append(
                try Step(
                    name: edge.name, action: .digest, inputs: Dictionary(uniqueKeysWithValues: inputs),
                    tools: ["name": edge.name], after: steps))
        }
        return BuildPlan(name: "test", version: "1", definition: Digest(of: []), steps: steps, artifacts: [])
    }

    static func diamond() throws -> BuildPlan {
        try plan([("top", []), ("left", ["top"]), ("right", ["top"]), ("bottom", ["left", "right"])])
    }

    static func independent(_ count: Int) throws -> BuildPlan { try plan((0..<count).map { ("s\($0)", []) }) }
}

/// Does what its script says for each step, and remembers what ran.
final class ScriptedRunner: StepRunning {
    typealias Script = @Sendable (Step, StepContext) async throws -> Void

    struct State {
        var started: [String] = []
        var running = 0
        var mostRunning = 0
    }

    let state = Mutex(State())
    private let script: Script

    init(
        _ script: @escaping Script = { step, context in
            try Scratch.write(step.name, context.output.appending("out.txt"))
        }
    ) {
        self.script = script
    }

    func title(of step: Step) -> String { "making \(step.name)" }

    func run(_ step: Step, in context: StepContext) async throws {
        state.withLock {
            $0.started.append(step.name)
            $0.running += 1
            $0.mostRunning = max($0.mostRunning, $0.running)
        }
        defer { state.withLock { $0.running -= 1 } }
        try await script(step, context)
    }

    var started: [String] { state.withLock { $0.started } }
}

/// A cache in one folder, which remembers what became of each pending result.
final class FolderCache: ResultCache {
    struct State {
        var results: [Digest: StepResult] = [:]
        var committed: [String] = []
        var discarded: [String] = []
    }

    let folder: FilePath
    let state = Mutex(State())

    init(_ folder: FilePath) { self.folder = folder }

    func lookup(_ id: Digest) -> StepResult? { state.withLock { $0.results[id] } }

    func begin(_ step: Step, waiting: @Sendable () -> Void) throws -> BeginOutcome {
        let place = folder.appending(step.name)
        for path in [place, place.appending("out"), place.appending("scratch")] { mkdir(path.string, 0o755) }
        return .mine(Pending(cache: self, step: step, folder: place))
    }

    private struct Pending: PendingResult {
        let cache: FolderCache
        let step: Step
        let folder: FilePath

        var output: FilePath { folder.appending("out") }
        var scratch: FilePath { folder.appending("scratch") }
        var log: FilePath { folder.appending("log") }

        func commit(_ record: StepRecord) -> StepResult {
            let result = StepResult(folder: output, record: record)
            cache.state.withLock {
                $0.results[step.id] = result
                $0.committed.append(step.name)
            }
            return result
        }

        func discard() { cache.state.withLock { $0.discarded.append(step.name) } }
    }
}

/// Keeps the events of a build.
final class EventRecorder: Sendable {
    private let kept = Mutex<[BuildEvent]>([])

    var events: [BuildEvent] { kept.withLock { $0 } }

    func log() -> EventLog {
        EventLog(clock: Self.clock, consumers: [{ [self] event in kept.withLock { $0.append(event) } }])
    }

    static let clock = WallClock { 1000 }

    /// `started top`, `finished top succeeded` and so on, without log lines and progress.
    var story: [String] {
        events.compactMap { event in
            switch event.kind {
            case .planned(let steps): "planned " + steps.map(\.name).joined(separator: " ")
            case .started(let step, _): "started \(step)"
            case .finished(let step, let outcome, _): "finished \(step) \(outcome.rawValue)"
            default: nil
            }
        }
    }
}
