import Model
import Synchronization
package import SystemPackage

/// A connection to QEMU's monitor: commands with their replies, and events.
package final class QMPClient: Sendable {
    private typealias Reply = CheckedContinuation<JSONValue, any Error>

    private struct State {
        var splitter = LineSplitter(limit: 1 << 20)
        var lastID: Int64 = 0
        var pending: [Int64: (command: String, reply: Reply)] = [:]
        var greeting: String?
        /// Why nothing can be sent or received any more.
        var ended: QMPError?
    }

    private let connection: SocketConnection
    private let state = Mutex(State())
    private let eventSink: AsyncStream<QMPEvent>.Continuation
    /// For one reader. The newest 256 events are kept while nobody reads; it ends with the connection.
    package let events: AsyncStream<QMPEvent>

    /// Connects to the monitor's socket `name` in `folder`, waiting for it to appear, and negotiates.
    package static func connect(to name: String, in folder: FilePath, within limit: Duration) async throws -> QMPClient
    {
        let connection: SocketConnection
        do {
            connection = try await SocketConnection.connect(to: name, in: folder, within: limit)
        } catch Errno.timedOut {
            throw QMPError.timedOut(command: "connect")
        }
        return try await QMPClient.negotiate(over: connection, within: limit)
    }

    /// Waits for the greeting and enters command mode.
    package static func negotiate(over connection: SocketConnection, within limit: Duration) async throws -> QMPClient {
        let client = QMPClient(connection: connection)
        do {
            try await client.waitForGreeting(within: limit)
            _ = try await client.execute("qmp_capabilities", timeout: limit)
            return client
        } catch {
            client.close()
            throw error
        }
    }

    private init(connection: SocketConnection) {
        self.connection = connection
        (events, eventSink) = AsyncStream.makeStream(of: QMPEvent.self, bufferingPolicy: .bufferingNewest(256))
        connection.startReading(
            onBytes: { [weak self] in self?.receive($0) }, onEnd: { [weak self] in self?.end(.closed) })
    }

    deinit { end(.closed) }

    /// QEMU's version: "7.2.22".
    package var version: String { state.withLock { $0.greeting ?? "" } }

    /// Ends the connection; what waits for a reply fails.
    package func close() { end(.closed) }

    /// Sends a command and returns what it returns. Throws `QMPError`, or `CancellationError` when the task is
    /// cancelled; the command may have been done then.
    package func execute(
        _ command: String, _ arguments: [String: JSONValue] = [:], timeout: Duration = .seconds(10)
    ) async throws -> JSONValue {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let alarm = Task { [weak self] in
            try await Task.sleep(for: timeout)
            self?.finish(id, .failure(QMPError.timedOut(command: command)))
        }
        defer { alarm.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reply in
                send(command, arguments, id: id, reply: reply)
                if Task.isCancelled { finish(id, .failure(CancellationError())) }
            }
        } onCancel: {
            finish(id, .failure(CancellationError()))
        }
    }

    private func send(_ command: String, _ arguments: [String: JSONValue], id: Int64, reply: Reply) {
        let ended = state.withLock { state in
            if state.ended == nil { state.pending[id] = (command, reply) }
            return state.ended
        }
        if let ended { return reply.resume(throwing: ended) }
        do {
            var message: [String: JSONValue] = ["execute": .string(command), "id": .integer(id)]
            if !arguments.isEmpty { message["arguments"] = .object(arguments) }
            try connection.send(try Canonical.bytes(JSONValue.object(message)) + [UInt8(ascii: "\n")])
        } catch {
            finish(id, .failure(QMPError.closed))
        }
    }

    private func finish(_ id: Int64, _ result: Result<JSONValue, any Error>) {
        let waiting = state.withLock { $0.pending.removeValue(forKey: id) }
        waiting?.reply.resume(with: result)
    }

    private func receive(_ bytes: [UInt8]) {
        guard let lines = state.withLock({ $0.splitter.lines(adding: bytes) }) else {
            return end(.malformed("a line of more than 1 MiB"))
        }
        for line in lines where !line.isEmpty {
            do {
                handle(try QMPMessage(line: line))
            } catch {
                return end(error)
            }
        }
    }

    private func handle(_ message: QMPMessage) {
        switch message {
        case .greeting(let version): state.withLock { $0.greeting = version }
        case .event(let event): eventSink.yield(event)
        case .success(let id, let value):
            if let id { finish(id, .success(value)) }
        case .failure(let id, let type, let message):
            guard let id, let waiting = state.withLock({ $0.pending.removeValue(forKey: id) }) else { return }
            waiting.reply.resume(
                throwing: QMPError.refused(command: waiting.command, type: type, message: message))
        }
    }

    private func end(_ reason: QMPError) {
        let waiting = state.withLock { state in
            state.ended = state.ended ?? reason
            defer { state.pending = [:] }
            return state.pending.values
        }
        for (_, reply) in waiting { reply.resume(throwing: reason) }
        connection.close()
        eventSink.finish()
    }

    private func waitForGreeting(within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let (greeting, ended) = state.withLock { ($0.greeting, $0.ended) }
            if greeting != nil { return }
            if let ended { throw ended }
            guard ContinuousClock.now < deadline else { throw QMPError.timedOut(command: "greeting") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
