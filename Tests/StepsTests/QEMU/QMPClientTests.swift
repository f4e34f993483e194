import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import Steps

/// A monitor that says what a test wants: it sends the opening, then answers each line.
private func withMonitor(
    opening: String = #"{"QMP": {"version": {"qemu": {"major": 9, "minor": 1, "micro": 2}}}}"# + "\n",
    answer: @escaping @Sendable (String) -> String?, _ body: (SocketConnection) async throws -> Void
) async throws {
    var ends: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let peer = SocketConnection(descriptor: ends[0])
    let splitter = Mutex(LineSplitter(limit: 1 << 20))
    peer.startReading(
        onBytes: { bytes in
            for line in splitter.withLock({ $0.lines(adding: bytes) }) ?? [] {
                guard let reply = answer(String(decoding: line, as: UTF8.self)) else { return peer.close() }
                try? peer.send(Array(reply.utf8))
            }
        }, onEnd: {})
    try? peer.send(Array(opening.utf8))
    defer { peer.close() }
    try await body(SocketConnection(descriptor: ends[1]))
}

/// The id in a command's text.
private func id(_ line: String) -> String {
    String(line.split(separator: #""id":"#).last?.prefix { $0.isNumber } ?? "")
}

private func success(_ line: String, _ value: String = "{}") -> String {
    #"{"return": \#(value), "id": \#(id(line))}"# + "\r\n"
}

@Suite(.timeLimit(.minutes(1))) struct QMPClientTests {
    @Test func `The greeting tells the version`() async throws {
        try await withMonitor(answer: { success($0) }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            #expect(client.version == "9.1.2")
        }
    }

    @Test func `A reply goes to the command with its id, whatever the order`() async throws {
        let held = Mutex<String?>(nil)
        try await withMonitor(answer: { line in
            if line.contains("first") {
                held.withLock { $0 = success(line, "1") }
                return ""
            }
            return success(line, "2") + (held.withLock { $0 } ?? "")
        }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            async let first = client.execute("first")
            while held.withLock({ $0 == nil }) { try await Task.sleep(for: .milliseconds(1)) }
            #expect(try await client.execute("second") == 2)
            #expect(try await first == 1)
        }
    }

    @Test func `Events come in order between replies`() async throws {
        try await withMonitor(answer: {
            #"{"event": "STOP"}"# + "\n" + success($0) + #"{"event": "RESET", "data": {"guest": true}}"# + "\n"
        }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            var seen: [QMPEvent] = []
            for await event in client.events {
                seen.append(event)
                if seen.count == 2 { break }
            }
            #expect(seen == [QMPEvent(name: "STOP", data: [:]), QMPEvent(name: "RESET", data: ["guest": true])])
        }
    }

    @Test func `An error of QEMU names the command`() async throws {
        try await withMonitor(answer: { line in
            guard line.contains("bad") else { return success(line) }
            return #"{"error": {"class": "GenericError", "desc": "no"}, "id": \#(id(line))}"# + "\n"
        }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            await #expect(throws: QMPError.refused(command: "bad", type: "GenericError", message: "no")) {
                try await client.execute("bad")
            }
        }
    }

    @Test func `What is not JSON ends the connection`() async throws {
        try await withMonitor(opening: "SSH-2.0-OpenSSH\n", answer: { _ in "" }) { connection in
            await #expect(throws: QMPError.malformed("a line that is not JSON")) {
                try await QMPClient.negotiate(over: connection, within: .seconds(5))
            }
        }
    }

    @Test func `A line of more than a mebibyte ends the connection`() async throws {
        let long = String(repeating: "x", count: (1 << 20) + 1)
        try await withMonitor(answer: { $0.contains("long") ? long : success($0) }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            await #expect(throws: QMPError.malformed("a line of more than 1 MiB")) {
                try await client.execute("long")
            }
        }
    }

    @Test func `A command fails when QEMU goes away`() async throws {
        try await withMonitor(answer: { $0.contains("last") ? nil : success($0) }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            await #expect(throws: QMPError.closed) { try await client.execute("last") }
            await #expect(throws: QMPError.closed) { try await client.execute("later") }
        }
    }

    @Test func `A command without a reply times out`() async throws {
        try await withMonitor(answer: { $0.contains("mute") ? "" : success($0) }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            await #expect(throws: QMPError.timedOut(command: "mute")) {
                try await client.execute("mute", timeout: .milliseconds(50))
            }
        }
    }

    @Test func `A cancelled task does not wait for its reply`() async throws {
        try await withMonitor(answer: { $0.contains("mute") ? "" : success($0) }) { connection in
            let client = try await QMPClient.negotiate(over: connection, within: .seconds(5))
            let task = Task { try await client.execute("mute") }
            try await Task.sleep(for: .milliseconds(20))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}

@Suite struct LineSplitterTests {
    @Test func `Lines are put together from pieces`() {
        var splitter = LineSplitter(limit: 10)
        #expect(splitter.lines(adding: Array("on".utf8)) == [])
        #expect(splitter.lines(adding: Array("e\r\ntwo\nth".utf8)) == [Array("one".utf8), Array("two".utf8)])
        #expect(splitter.lines(adding: Array("ree\n".utf8)) == [Array("three".utf8)])
    }

    @Test func `A line longer than the limit is refused`() {
        var splitter = LineSplitter(limit: 4)
        #expect(splitter.lines(adding: Array("1234".utf8)) == [])
        #expect(splitter.lines(adding: Array("5".utf8)) == nil)
    }
}
