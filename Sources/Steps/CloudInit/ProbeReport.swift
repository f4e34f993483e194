import Model
import Synchronization
import Tooling

/// What cloud-init says of itself at its end, as the probe sends it.
struct ProbeReport: Hashable, Sendable {
    /// Of `cloud-init status`: 0, 1 for an error, 2 for recoverable ones.
    var exit: Int64
    /// Of `cloud-init status --format json`; null where cloud-init is too old for it.
    var status: JSONValue
    /// result.json.
    var result: JSONValue
}

/// Reads the lines of a probe, and nothing that does not have its token.
final class ProbeReceiver: Sendable {
    private struct State {
        var splitter = LineSplitter(limit: 1 << 20)
        var isOver = false
        var hasStarted = false
        var report: ProbeReport?
        var reset: [String: [String]] = [:]
        var resetCount = 0
    }

    /// Whoever is root in the guest knows the token: what is kept of its words has an end.
    static let resetLimit = 20_000
    private static let pathLimit = 4096

    private struct Event: Decodable {
        var token: String
        var event: String
        var exit: Int64?
        var status: JSONValue?
        var result: JSONValue?
        var operation: String?
        var path: String?
    }

    private let token: String
    private let state = Mutex(State())

    init(_ probe: SetupProbe) { token = probe.token }

    func add(_ bytes: [UInt8]) {
        state.withLock { state in
            guard !state.isOver else { return }
            guard let lines = state.splitter.lines(adding: bytes) else {
                // Not what our probe says.
                state.isOver = true
                return
            }
            for line in lines {
                let text = line.last == 0x0d ? Array(line.dropLast()) : Array(line)
                guard let event = try? Canonical.decode(Event.self, from: text), event.token == token else { continue }
                Self.take(event, &state)
            }
        }
    }

    private static func take(_ event: Event, _ state: inout State) {
        switch event.event {
        case "started": state.hasStarted = true
        case "report":
            state.report = ProbeReport(
                exit: event.exit ?? 0, status: event.status ?? .null, result: event.result ?? .null)
        case "reset":
            guard let operation = event.operation.flatMap(ResetOperation.init), let path = event.path,
                path.utf8.count <= pathLimit, state.resetCount < resetLimit
            else { return }
            state.resetCount += 1
            state.reset[operation.rawValue, default: []].append(path)
        default: break
        }
    }

    /// Whether cloud-init has come to our part of the user-data.
    var hasStarted: Bool { state.withLock(\.hasStarted) }

    var report: ProbeReport? { state.withLock(\.report) }

    /// What the guest removed at its end, by operation.
    var reset: [String: [String]] { state.withLock(\.reset) }
}
