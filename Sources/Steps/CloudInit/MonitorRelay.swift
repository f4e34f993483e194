import CLinux
import Glibc
import Model
import Synchronization
import SystemPackage
import Tooling

/// Lets people use the monitor of a machine at a Unix socket of the host: QEMU, which sees nothing of the host, has its own
/// in its folder.
final class MonitorRelay: Sendable {
    private let folder: FilePath
    private let stopping: FileDescriptor
    private let connections = Mutex<[SocketConnection]>([])

    /// Listens while the body runs, and removes the socket; without a path the body just runs.
    static func with<Value>(
        _ path: FilePath?, folder: FilePath, _ body: () async throws -> Value
    ) async throws -> Value {
        guard let path else { return try await body() }
        let relay = try MonitorRelay(path, folder: folder)
        defer {
            relay.stop()
            unlink(path.string)
        }
        return try await body()
    }

    private init(_ path: FilePath, folder: FilePath) throws {
        let listener = try Self.listen(path)
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

    /// QEMU's monitor has one caller at a time; others wait for it.
    private func serve(_ caller: SocketConnection) async {
        guard
            let monitor = try? await SocketConnection.connect(
                to: Machine.peopleSocket, in: folder, within: .seconds(5))
        else { return caller.close() }
        connections.withLock { $0 += [caller, monitor] }
        for (from, to) in [(caller, monitor), (monitor, caller)] {
            from.startReading(
                onBytes: { bytes in if (try? to.send(bytes)) == nil { from.close() } },
                onEnd: { [weak self] in
                    to.close()
                    self?.connections.withLock { $0.removeAll { $0 === from } }
                })
        }
    }

    /// A socket that only its owner may use. One that nobody listens at any more is replaced.
    private static func listen(_ path: FilePath) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.string.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw FactoryError(
                .usage, "the path of the monitor's socket is longer than 107 bytes: \(path)",
                remedy: "choose a shorter path")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let withAddress = { (call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 in
            withUnsafePointer(to: address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, size) } }
        }
        var facts = stat()
        if lstat(path.string, &facts) == 0 {
            guard facts.st_mode & S_IFMT == S_IFSOCK else { throw inTheWay(path, "a file is there") }
            let test = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            let answers = withAddress { connect(test, $0, $1) } == 0
            close(test)
            guard !answers else { throw inTheWay(path, "another machine uses it") }
            unlink(path.string)
        }
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw inTheWay(path, Errno(rawValue: errno).description) }
        // The file gets the mode that the socket has.
        guard fchmod(listener, 0o600) == 0, withAddress({ bind(listener, $0, $1) }) == 0, Glibc.listen(listener, 4) == 0
        else {
            let problem = Errno(rawValue: errno)
            close(listener)
            throw inTheWay(path, problem.description)
        }
        return listener
    }

    private static func inTheWay(_ path: FilePath, _ reason: String) -> FactoryError {
        FactoryError(
            .cannotCreate, "cannot make the monitor's socket \(path): \(reason)", remedy: "choose another path")
    }
}
