import Glibc
package import Model
import Synchronization
import Tooling

/// An HTTP server on the loopback interface that does what servers and networks do wrong, and counts what it sends.
package final class FaultServer: Sendable {
    package struct Request: Sendable {
        package var path: String
        /// By name in lower case.
        package var headers: [String: String]
    }

    /// Answers the request of that number, from 0. The connection is closed when it returns.
    package typealias Answer = @Sendable (_ number: Int, Request, Connection) -> Void

    private struct State {
        var requests: [Request] = []
        var sent = 0
        var isOver = false
    }

    private let state = Mutex(State())
    private let listener: Int32
    package let port: UInt16
    private let answer: Answer

    private init(_ answer: @escaping Answer) throws {
        (listener, port) = try Self.listen()
        self.answer = answer
    }

    package static func with(_ answer: @escaping Answer, _ body: (FaultServer) async throws -> Void) async throws {
        let server = try FaultServer(answer)
        DetachedThread.start { server.accept() }
        defer { server.stop() }
        try await body(server)
    }

    package var requests: [Request] { state.withLock { $0.requests } }
    /// Bytes of bodies.
    package var sent: Int { state.withLock { $0.sent } }
    package var isOver: Bool { state.withLock { $0.isOver } }

    package func url(_ path: String = "/file", user: String = "") -> Source {
        Source(.http, "http://\(user)127.0.0.1:\(port)\(path)")
    }

    /// A port on which nobody listens.
    package static func freePort() throws -> UInt16 {
        let (listener, port) = try listen()
        close(listener)
        return port
    }

    private static func listen() throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener, $0, length) == 0 && Glibc.listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, isListening else { throw FactoryError(.internal, "cannot listen: \(errno)") }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    private func accept() {
        while true {
            let socket = Glibc.accept(listener, nil, nil)
            guard socket >= 0, !isOver else {
                if socket >= 0 { close(socket) }
                close(listener)
                return
            }
            DetachedThread.start { [self] in
                let connection = Connection(socket: socket, server: self)
                if let request = connection.readRequest() {
                    let number = state.withLock { state in
                        state.requests.append(request)
                        return state.requests.count - 1
                    }
                    answer(number, request, connection)
                }
                connection.end()
            }
        }
    }

    /// Ends all threads: those that stall look at `isOver`.
    private func stop() {
        state.withLock { $0.isOver = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    fileprivate func count(_ bytes: Int) { state.withLock { $0.sent += bytes } }
}

/// One connection of a `FaultServer`.
package final class Connection: Sendable {
    private let socket: Int32
    private let server: FaultServer

    fileprivate init(socket: Int32, server: FaultServer) {
        self.socket = socket
        self.server = server
    }

    fileprivate func readRequest() -> FaultServer.Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let words = lines[0].split(separator: " ").map(String.init)
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
        }
        return FaultServer.Request(path: words[1], headers: headers)
    }

    package func head(_ status: String, _ headers: [String] = []) {
        let lines = ["HTTP/1.1 \(status)", "Connection: close"] + headers
        _ = write(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
    }

    /// False when the other side is gone.
    @discardableResult
    package func body(_ bytes: some Collection<UInt8>) -> Bool {
        let bytes = Array(bytes)
        let sent = write(bytes)
        server.count(sent)
        return sent == bytes.count
    }

    /// As a chunk of a body.
    package func chunk(_ bytes: some Collection<UInt8>) {
        _ = write(Array("\(String(bytes.count, radix: 16))\r\n".utf8))
        body(bytes)
        _ = write(Array("\r\n".utf8))
    }

    /// Ends a body in chunks.
    package func lastChunk() { _ = write(Array("0\r\n\r\n".utf8)) }

    private func write(_ bytes: [UInt8]) -> Int {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    /// Sends nothing until the other side gives up.
    package func stall() {
        var byte: UInt8 = 0
        while !server.isOver {
            let count = recv(socket, &byte, 1, Int32(MSG_DONTWAIT))
            if count == 0 || count < 0 && errno != EAGAIN { return }
            usleep(10_000)
        }
    }

    /// Makes the end of the connection a reset, after the other side had time to read what it was sent.
    package func reset() {
        usleep(300_000)
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    fileprivate func end() { close(socket) }
}

/// A file as a sound server serves it.
package struct ServedFile: Sendable {
    package enum Ending: String, CaseIterable, Sendable {
        case closed
        case reset
        case stalled
    }

    package var content: [UInt8]
    package var tag: String? = "\"one\""
    package var date: String?

    package init(content: [UInt8], tag: String? = "\"one\"", date: String? = nil) {
        self.content = content
        self.tag = tag
        self.date = date
    }

    /// Answers with the whole file, with what a Range asks for, or with 304; `cut`: with so many bytes of it only.
    package func serve(
        _ request: FaultServer.Request, _ connection: Connection, cut: Int? = nil, ending: Ending = .closed
    ) {
        let headers = [tag.map { "ETag: \($0)" }, date.map { "Last-Modified: \($0)" }].compactMap { $0 }
        if let tag,
            request.headers["if-none-match"] == tag
                || self.tag == nil && date != nil && request.headers["if-modified-since"] == date
        {
            return connection.head("304 Not Modified", headers + ["ETag: \(tag)"])
        }
        var start = 0
        let condition = request.headers["if-range"]
        if let range = request.headers["range"], condition == nil || condition == tag || condition == date {
            start = Int(range.dropFirst("bytes=".count).dropLast()) ?? 0
            guard start < content.count else {
                return connection.head("416 Range Not Satisfiable", ["Content-Range: bytes */\(content.count)"])
            }
            connection.head(
                "206 Partial Content",
                headers + [
                    "Content-Length: \(content.count - start)",
                    "Content-Range: bytes \(start)-\(content.count - 1)/\(content.count)",
                ])
        } else {
            connection.head("200 OK", headers + ["Content-Length: \(content.count)"])
        }
        guard let cut else {
            connection.body(content[start...])
            return
        }
        connection.body(content[start..<min(start + cut, content.count)])
        switch ending {
        case .closed: break
        case .reset: connection.reset()
        case .stalled: connection.stall()
        }
    }

    /// Bytes that compress badly and repeat nowhere.
    package static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }
}
