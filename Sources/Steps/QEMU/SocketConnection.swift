import CLinux
import Glibc
package import SystemPackage
import Synchronization
import Tooling

/// A connected Unix stream socket with a thread that reads it, so that a slow or silent peer holds no thread of the
/// pool of tasks. What is read goes to a closure on that thread: while the closure works, the peer waits.
package final class SocketConnection: Sendable {
    private struct State {
        var isOpen = true
        var isReading = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())
    /// Held while bytes are written, and while the descriptor is closed.
    private let writer = Mutex(())

    /// Takes over a connected, blocking socket. It is closed when reading ends, or with `close` if reading has not
    /// started. A write that the peer does not take for five seconds fails.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Connects to the socket `name` in `folder` as soon as somebody listens there. The folder's owner may be less
    /// trusted than the caller: a link in place of the socket is not followed. Paths may be longer than 107 bytes.
    package static func connect(
        to name: String, in folder: FilePath, within limit: Duration, while isWorthwhile: () -> Bool = { true }
    ) async throws -> SocketConnection {
        let deadline = ContinuousClock.now + limit
        while true {
            do {
                return SocketConnection(descriptor: try connectOnce(to: name, in: folder))
            } catch Errno.noSuchFileOrDirectory, Errno.connectionRefused, Errno.resourceTemporarilyUnavailable {
                guard ContinuousClock.now < deadline, isWorthwhile() else { throw Errno.timedOut }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private static func connectOnce(to name: String, in folder: FilePath) throws -> Int32 {
        let parent = open(folder.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw Errno(rawValue: errno) }
        defer { Glibc.close(parent) }
        let file = if_open_place(parent, name)
        guard file >= 0 else { throw Errno(rawValue: errno) }
        defer { Glibc.close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { throw Errno.notSocket }

        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let connection = socket(AF_UNIX, type, 0)
        guard connection >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "/proc/self/fd/\(file)".utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(connection, $0, size) }
        }
        guard result == 0, fcntl(connection, F_SETFL, 0) == 0 else {
            let problem = Errno(rawValue: errno)
            Glibc.close(connection)
            throw problem
        }
        return connection
    }

    /// Starts the reading thread. `onEnd` is called once, last: the peer closed, reading failed, or `close`.
    package func startReading(
        onBytes: @escaping @Sendable ([UInt8]) -> Void, onEnd: @escaping @Sendable () -> Void
    ) {
        let mayStart = state.withLock { state in
            defer { state.isReading = true }
            return state.isOpen && !state.isReading
        }
        guard mayStart else { return onEnd() }
        DetachedThread.start { [self] in
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count > 0 {
                    onBytes(Array(buffer[..<count]))
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
            closeDescriptor()
            onEnd()
        }
    }

    /// Writes all the bytes.
    package func send(_ bytes: [UInt8]) throws {
        try writer.withLock { _ in
            guard state.withLock(\.isOpen) else { throw Errno.brokenPipe }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw Errno(rawValue: errno) }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Ends the connection at once, in both directions. May be called more than once.
    package func close() {
        let isReading = state.withLock { state in
            if state.isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return state.isReading
        }
        if !isReading { closeDescriptor() }
    }

    private func closeDescriptor() {
        let wasOpen = state.withLock { state in
            defer { state.isOpen = false }
            return state.isOpen
        }
        if wasOpen { writer.withLock { _ in _ = Glibc.close(descriptor) } }
    }

    deinit { close() }
}
