import Glibc
import Model
import SystemPackage
import Tooling

/// Brings a file by HTTP into a folder of its own: attempts, of which each goes on where the last one ended.
///
///     state.json   what `out/body` is, as of the start of the last request
///     request      what curl is asked, while it runs
///     out/         where curl writes: `body`, and `head`, the head of the answer
struct HTTPTransfer {
    /// How often a server may send something else than what it began with.
    private static let restarts = 3

    let source: Source
    let runner: any CommandRunning
    let limits: TransferLimits
    let folder: FilePath
    let report: TransferReport

    enum Outcome: Sendable {
        case notModified
        /// `out/body` is the file. `wasResumed`: not all of it came in one answer.
        case complete(HTTPValidator, wasResumed: Bool)
    }

    private var out: FilePath { folder.appending("out") }
    private var head: FilePath { out.appending("head") }
    var body: FilePath { out.appending("body") }

    /// - Parameter known: of the bytes that are kept. They are asked for only if they have changed.
    func run(known: HTTPValidator?) async throws -> Outcome {
        try LocalFile.makeFolder(out)
        try Containment.handOver(out)
        var state = try recover()
        var failures = 0
        var restarts = 0
        var reached = LocalFile.size(body) ?? 0
        var wasResumed = state.offset > 0
        while true {
            if let total = state.total, state.offset > 0, state.offset == total {
                return .complete(state.validator, wasResumed: wasResumed)
            }
            let outcome = try await request(state, known: known)
            let size = LocalFile.size(body) ?? 0
            let step = HTTPStep(outcome, state: state, size: size, source: source, limits: limits)
            switch step {
            case .notModified:
                return .notModified
            case .complete:
                let validator = outcome.answer?.validator ?? state.validator
                return .complete(validator, wasResumed: wasResumed)
            case .startAnew:
                restarts += 1
                report.log("\(source.shown) is another file than the one whose beginning is here; it is fetched anew")
                state = try drop()
                wasResumed = false
                guard restarts <= Self.restarts else {
                    throw FactoryError(
                        .unavailable, "\(source.shown) changes while it is fetched", remedy: "try again later")
                }
            case .retry(let failure, let asked):
                state = try next(state, outcome.answer)
                // Where the beginning cannot be kept, all of it would come again, as often as it breaks off.
                failures = state.offset > reached ? 1 : failures + 1
                reached = max(reached, state.offset)
                guard failures < limits.attempts else { throw failure }
                wasResumed = wasResumed || state.offset > 0
                let pause = limits.pause(after: failures, asked: asked)
                report.log("\(failure.message); trying again in \(pause)")
                try await Task.sleep(for: pause)
            case .fail(let failure):
                _ = try next(state, outcome.answer)
                throw failure
            }
        }
    }

    /// What an earlier run has left.
    private func recover() throws -> PartialState {
        guard LocalFile.size(body) != nil, let bytes = try LocalFile.read(statePath, limit: 1 << 16),
            let state = try? Canonical.decode(PartialState.self, from: bytes)
        else { return try drop() }
        return try next(state, try LocalFile.read(head, limit: HTTPAnswer.limit).flatMap { HTTPAnswer($0) })
    }

    /// The state in which the next request starts.
    private func next(_ state: PartialState, _ answer: HTTPAnswer?) throws -> PartialState {
        guard var next = state.after(answer), next.validator.rangeCondition != nil, let size = LocalFile.size(body),
            size <= next.total ?? .max
        else { return try drop() }
        next.offset = size
        return next
    }

    private func drop() throws -> PartialState {
        _ = unlink(body.string)
        _ = unlink(head.string)
        return PartialState()
    }

    private var statePath: FilePath { folder.appending("state.json") }

    private func request(_ state: PartialState, known: HTTPValidator?) async throws -> CurlOutcome {
        try LocalFile.write(try Canonical.bytes(state), statePath)
        _ = unlink(head.string)
        let headers = state.offset > 0 ? state.validator.rangeCondition.map { ["If-Range: \($0)"] } : known?.conditions
        let request = CurlRequest(source: source, headers: headers ?? [], offset: state.offset, limits: limits)
        let configuration = folder.appending("request")
        try LocalFile.write(Array(request.configuration.utf8), configuration, mode: 0o600)
        defer { _ = unlink(configuration.string) }
        let command = request.command(configuration: configuration, folder: out)
        let result = try await FileGrowth.report(body, to: report, total: { total(state) }) {
            try await runner.run(command)
        }
        return CurlOutcome(result, head: try LocalFile.read(head, limit: HTTPAnswer.limit))
    }

    /// As soon as the answer has told.
    private func total(_ state: PartialState) -> UInt64? {
        if let total = state.total { return total }
        let bytes = (try? LocalFile.read(head, limit: HTTPAnswer.limit)) ?? nil
        return bytes.flatMap { HTTPAnswer($0) }?.total
    }
}
