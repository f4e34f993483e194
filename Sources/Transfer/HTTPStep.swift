import Model

/// What is there of a file before a request, as it is written beside the bytes. A request may be killed at any time, so
/// together with the head of the answer it tells afterwards what the bytes are.
struct PartialState: Codable, Hashable, Sendable {
    /// Of the answer from which the bytes are.
    var validator = HTTPValidator()
    /// All bytes of the file, if an answer has told.
    var total: UInt64?
    /// Where the request began.
    var offset: UInt64 = 0

    /// The state of the bytes after a request that ended, or was killed, with this head of an answer. Nil: they are of
    /// no use.
    func after(_ answer: HTTPAnswer?) -> PartialState? {
        guard let answer else { return offset > 0 ? self : nil }
        var next = self
        switch (answer.status, offset) {
        case (200, 0):
            next.validator = answer.validator
        case (206, 1...):
            guard validator.agrees(with: answer.validator) else { return nil }
            if let total, let told = answer.total, total != told { return nil }
        case (200, _), (206, _), (416, _):
            return nil
        default:
            return offset > 0 ? self : nil
        }
        next.total = answer.total ?? next.total
        return next
    }
}

/// What to do after a request.
enum HTTPStep: Sendable {
    /// The bytes are all there.
    case complete
    /// The server still has what we have.
    case notModified
    /// The bytes that were there are not of what the server has now.
    case startAnew
    /// The same again, after a pause.
    case retry(FactoryError, after: Duration?)
    case fail(FactoryError)
}

extension HTTPStep {
    /// - Parameters:
    ///   - state: before the request.
    ///   - size: the bytes that are there now.
    init(_ outcome: CurlOutcome, state: PartialState, size: UInt64, source: Source, limits: TransferLimits) {
        let shown = source.shown
        if let answer = outcome.answer, answer.status >= 400 {
            self = Self.refusal(answer, state, shown)
            return
        }
        if let limit = limits.size, outcome.exit == 63 || outcome.exit == nil && size >= limit.bytes {
            self = .fail(
                FactoryError(
                    .failed, "\(shown) has more than \(limit)", remedy: "check that it is the file you mean"))
            return
        }
        switch outcome.exit {
        case 0:
            self = Self.ending(outcome, state, size, shown)
        case 33:
            self = .startAnew
        case let exit? where Self.passing.contains(exit):
            // What was sent is no continuation of what is here.
            if state.offset > 0, outcome.answer != nil, state.after(outcome.answer) == nil {
                self = .startAnew
            } else {
                self = .retry(Self.failure(outcome, shown), after: nil)
            }
        default:
            self = .fail(Self.failure(outcome, shown))
        }
    }

    /// curl's codes of what may go better next time: names, connections, TLS under way, time, broken transfers.
    private static let passing: Set<Int32> = [5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92, 95]

    private static func ending(
        _ outcome: CurlOutcome, _ state: PartialState, _ size: UInt64, _ shown: String
    ) -> HTTPStep {
        guard let answer = outcome.answer else {
            return .fail(FactoryError(.unavailable, "\(shown) was answered in another way than HTTP has"))
        }
        switch answer.status {
        case 304:
            return .notModified
        case 200, 206:
            guard let next = state.after(answer) else { return .startAnew }
            if let total = next.total, size != total {
                let failure = FactoryError(
                    .unavailable, "\(shown) ended after \(size) of \(total) bytes", remedy: Self.remedy)
                return size < total ? .retry(failure, after: nil) : .startAnew
            }
            return .complete
        default:
            return .fail(
                FactoryError(
                    .unavailable, "\(shown) was answered with the status \(answer.status), which has no file",
                    remedy: "check the address"))
        }
    }

    private static func refusal(_ answer: HTTPAnswer, _ state: PartialState, _ shown: String) -> HTTPStep {
        if answer.status == 416, state.offset > 0 { return .startAnew }
        let name = names[answer.status].map { " (\($0))" } ?? ""
        let failure = FactoryError(
            answer.status == 404 || answer.status == 410 ? .missingInput : .unavailable,
            "\(shown) was answered with the status \(answer.status)\(name)",
            remedy: answer.status < 500 ? "check the address, and whether you may read it" : remedy)
        return answer.status >= 500 || [408, 425, 429].contains(answer.status)
            ? .retry(failure, after: answer.retryAfter) : .fail(failure)
    }

    private static func failure(_ outcome: CurlOutcome, _ shown: String) -> FactoryError {
        let said = outcome.message.map { ": \($0)" } ?? ""
        switch outcome.exit {
        case 1:
            return FactoryError(
                .unavailable, "\(shown) is answered with a redirect to what is not fetched\(said)",
                remedy: "give the address that it leads to, if you trust that")
        case 23:
            return FactoryError(
                .inputOutput, "cannot write what comes from \(shown)\(said)",
                remedy: "free some space in the store, or run 'image-factory prune'")
        case 47:
            return FactoryError(
                .unavailable, "\(shown) is answered with one redirect after the other\(said)",
                remedy: "check the address")
        case nil: return FactoryError(.failed, "curl was ended by a signal while it fetched \(shown)")
        default: return FactoryError(.unavailable, "cannot fetch \(shown)\(said)", remedy: remedy)
        }
    }

    private static let remedy = "check the network and the server, or try again later"

    private static let names = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        407: "Proxy Authentication Required",
        408: "Request Timeout", 410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]
}
