import CLinux
import Glibc
package import Model
import Synchronization
package import SystemPackage
import Tooling

/// A Unix socket of the host for the monitor of a machine.
package struct MonitorSocket: Sendable, CustomStringConvertible {
    package var path: FilePath
    /// Hears why there is none, and the machine does without; nil: that is a failure.
    package var onFailure: (@Sendable (FactoryError) -> Void)?

    package init(_ path: FilePath, onFailure: (@Sendable (FactoryError) -> Void)? = nil) {
        self.path = path
        self.onFailure = onFailure
    }

    package var description: String { path.string }
}

/// Lets people use the monitor of a machine at a Unix socket of the host: QEMU, which sees nothing of the host, has its own
/// in its folder.
final class MonitorRelay: Sendable {
    private let folder: FilePath
    private let stopping: FileDescriptor
    private let connections = Mutex<[SocketConnection]>([])

    /// Listens while the body runs, and removes the socket; without one the body just runs.
    static func with<Value>(
        _ socket: MonitorSocket?, folder: FilePath, _ body: () async throws -> Value
    ) async throws -> Value {
        guard let socket, let relay = try relay(socket, folder) else { return try await body() }
        defer {
            relay.stop()
            unlink(socket.path.string)
        }
        return try await body()
    }

    private static func relay(_ socket: MonitorSocket, _ folder: FilePath) throws -> MonitorRelay? {
        do {
            return try MonitorRelay(socket.path, folder: folder)
        } catch let error as FactoryError {
            guard let onFailure = socket.onFailure else { throw error }
            onFailure(error)
            return nil
        }
    }

    private let listener: Int32

    private init(_ path: FilePath, folder: FilePath) throws {
        let listener = try Self.listen(path)
        var ends: [Int32] = [-1, -1]
        guard if_pipe(&ends) == 0 else {
            close(listener)
            throw FactoryError(.osFailure, "cannot make a pipe: \(Errno(rawValue: errno))")
        }
        self.folder = folder
        self.listener = listener
        stopping = FileDescriptor(rawValue: ends[1])
        let stop = ends[0]
        DetachedThread.start { [self] in
            accept(listener, until: stop)
            close(listener)
            close(stop)
        }
    }

    private func stop() {
        // The thread closes it a little later; nobody is to be let in until then.
        shutdown(listener, Int32(SHUT_RD))
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
    ///
    /// It is made by way of its opened folder, whose path may be longer than addresses of sockets.
    private static func listen(_ path: FilePath) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let parent = path.removingLastComponent()
        let folder = open(parent.isEmpty ? "." : parent.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw inTheWay(path, Errno(rawValue: errno).description) }
        defer { close(folder) }
        let bytes = Array("/proc/self/fd/\(folder)/\(path.lastComponent?.string ?? "")".utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw inTheWay(path, Errno.fileNameTooLong.description)
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
