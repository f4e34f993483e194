import CLinux
import Glibc
import Model
import Synchronization
import SystemPackage
import Tooling

/// Lets people look at a machine's screen: QEMU, which has no network, shows it at a socket in its folder, and this
/// connects the callers of a TCP port with that socket.
final class DisplayRelay: Sendable {
    /// Viewers at the same time.
    private static let most = 8
    /// Where a display is that does not say its host.
    private static let loopback = "127.0.0.1"

    private let folder: FilePath
    private let stopping: FileDescriptor
    private let connections = Mutex<[SocketConnection]>([])

    /// Listens while the body runs; without a display the body just runs.
    static func with<Value>(
        _ display: VNCDisplay?, folder: FilePath, _ body: () async throws -> Value
    ) async throws -> Value {
        guard let display else { return try await body() }
        let relay = try DisplayRelay(display, folder: folder)
        defer { relay.stop() }
        return try await body()
    }

    private init(_ display: VNCDisplay, folder: FilePath) throws {
        let listener = try Self.listen(display.host ?? Self.loopback, display.port)
        var ends: [Int32] = [-1, -1]
        guard if_pipe(&ends) == 0 else {
            close(listener)
            throw FactoryError(.osFailure, "cannot make a pipe: \(Errno(rawValue: errno))")
        }
        self.folder = folder
        stopping = FileDescriptor(rawValue: ends[1])
        let stop = ends[0]
        DetachedThread.start { [self] in
            accept(listener, until: stop)
            close(listener)
            close(stop)
        }
    }

    private func stop() {
        try? stopping.close()
        for connection in connections.withLock({ $0 }) { connection.close() }
    }

    private func accept(_ listener: Int32, until stop: Int32) {
        while true {
            var entries = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0), pollfd(fd: stop, events: 0, revents: 0),
            ]
            if poll(&entries, 2, -1) < 0, errno != EINTR { return }
            if entries[1].revents != 0 { return }
            guard entries[0].revents != 0 else { continue }
            let caller = Glibc.accept(listener, nil, nil)
            guard caller >= 0 else { continue }
            _ = fcntl(caller, F_SETFD, FD_CLOEXEC)
            let connection = SocketConnection(descriptor: caller)
            Task { await self.serve(connection) }
        }
    }

    private func serve(_ caller: SocketConnection) async {
        guard connections.withLock({ $0.count }) < 2 * Self.most,
            let screen = try? await SocketConnection.connect(
                to: Machine.displaySocket, in: folder, within: .seconds(5))
        else { return caller.close() }
        connections.withLock { $0 += [caller, screen] }
        for (from, to) in [(caller, screen), (screen, caller)] {
            from.startReading(
                onBytes: { bytes in if (try? to.send(bytes)) == nil { from.close() } },
                onEnd: { [weak self] in
                    to.close()
                    self?.connections.withLock { $0.removeAll { $0 === from } }
                })
        }
    }

    /// A socket that listens at the first address of the host that can be used.
    private static func listen(_ host: String, _ port: UInt16) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, "\(port)", &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        guard failure == 0 else { throw refusal(host, port, String(cString: gai_strerror(failure))) }
        var problem = Errno.noSuchAddressOrDevice
        var next = found
        while let address = next?.pointee {
            next = address.ai_next
            let listener = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard listener >= 0 else { continue }
            var reuse: Int32 = 1
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
            if bind(listener, address.ai_addr, address.ai_addrlen) == 0, Glibc.listen(listener, 4) == 0 {
                return listener
            }
            problem = Errno(rawValue: errno)
            close(listener)
        }
        throw refusal(host, port, problem.description)
    }

    private static func refusal(_ host: String, _ port: UInt16, _ reason: String) -> FactoryError {
        FactoryError(
            .cannotCreate, "cannot show the installation at \(host) port \(port): \(reason)",
            remedy: "choose another display for 'vnc'")
    }
}
