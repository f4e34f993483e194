import Glibc
import Synchronization
import SystemPackage
import Tooling

@testable import Steps

/// An HTTP server of a test on a port of 127.0.0.1.
final class TestServer: Sendable {
    struct Answer: Sendable {
        var status = 200
        var fields: [(String, String)] = []
        var body: [UInt8] = []
        /// Promised in place of the body's length.
        var length: Int?
    }

    let port: UInt16
    private let listener: Int32
    private let answer: @Sendable (HTTPRequest) -> Answer
    private let seen = Mutex<[HTTPRequest]>([])

    /// The requests so far.
    var requests: [HTTPRequest] { seen.withLock { $0 } }

    /// Runs `body` with a server.
    static func with<Value>(
        _ answer: @escaping @Sendable (HTTPRequest) -> Answer, _ body: (TestServer) async throws -> Value
    ) async throws -> Value {
        let server = try TestServer(answer)
        defer { shutdown(server.listener, Int32(SHUT_RDWR)) }
        return try await body(server)
    }

    private init(_ answer: @escaping @Sendable (HTTPRequest) -> Answer) throws {
        self.answer = answer
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                bind(listener, place, size) == 0 && listen(listener, 50) == 0
                    && getsockname(listener, place, &size) == 0
            }
        }
        guard result else { throw Errno(rawValue: errno) }
        port = UInt16(bigEndian: address.sin_port)
        DetachedThread.start { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                DetachedThread.start { [self] in
                    serve(GuestStream(connection))
                    close(connection)
                }
            }
            close(listener)
        }
    }

    private func serve(_ stream: GuestStream) {
        var bytes: [UInt8] = []
        while HTTPParser.headEnd(in: bytes[...]) == nil {
            let more = stream.receive(before: .now + .seconds(5))
            if more.isEmpty { return }
            bytes += more
        }
        guard let request = try? HTTPParser.request(bytes[...]) else { return }
        seen.withLock { $0.append(request) }
        let answer = answer(request)
        let fields = HTTPFields(
            answer.fields + [("content-length", "\(answer.length ?? answer.body.count)"), ("connection", "close")])
        try? stream.send(HTTPResponse(status: answer.status, reason: "said", fields: fields).bytes)
        if request.method != "HEAD" { try? stream.send(answer.body) }
    }
}
