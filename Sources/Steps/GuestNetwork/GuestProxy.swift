import CLinux
import Glibc
import Model
import Synchronization
import SystemPackage
import Tooling

/// The server behind a guest's network: HTTP/1.1 on a Unix socket, a thread for each connection, answers from the
/// cache and by `UpstreamFetch`. The guest is taken to be hostile: everything it can make grow has a bound.
final class GuestProxy: Sendable {
    struct Settings: Sendable {
        var rules: ProxyRules
        var cache: GuestCache
        /// On the filesystem of the cache; contained processes can write below it.
        var scratch: FilePath
        var isOffline: Bool
        /// Of all that a guest downloads.
        var budget = ByteCount.gibi(64)
    }

    static let socketName = "proxy.sock"
    /// More than the relay has; beyond it somebody else is connecting.
    private static let connectionLimit = 96
    private static let fetchLimit = 8

    let settings: Settings
    let runner: any CommandRunning
    let counter = TrafficCounter()
    /// Receives what is worth a line in the log, and whether it is a warning.
    let tell: @Sendable (_ line: String, _ isWarning: Bool) -> Void

    private struct State {
        var isStopping = false
        var connections: [Int32: GuestStream] = [:]
        var threads = 0
        var fetches = 0
        var lastFolder = 0
    }

    private let listener: Int32
    private let state = Mutex(State())

    /// Listens on `proxy.sock` in `folder`, which contained processes reach.
    init(
        _ settings: Settings, in folder: FilePath, runner: any CommandRunning,
        tell: @escaping @Sendable (_ line: String, _ isWarning: Bool) -> Void
    ) throws {
        self.settings = settings
        self.runner = runner
        self.tell = tell
        do {
            listener = try Self.listen(in: folder)
        } catch let problem as Errno {
            throw FactoryError(.osFailure, "cannot listen for the guest in \(folder): \(problem)")
        }
        state.withLock { $0.threads = 1 }
        DetachedThread.start { [self] in
            acceptAll()
            state.withLock { $0.threads -= 1 }
        }
    }

    private static func listen(in folder: FilePath) throws -> Int32 {
        let parent = open(folder.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw Errno(rawValue: errno) }
        defer { close(parent) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The path itself may be longer than an address.
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: "/proc/self/fd/\(parent)/\(socketName)".utf8)
        }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        let path = folder.appending(socketName)
        guard result == 0, chmod(path.string, 0o600) == 0, Glibc.listen(descriptor, 64) == 0 else {
            let problem = Errno(rawValue: errno)
            close(descriptor)
            throw problem
        }
        try Containment.handOver(path)
        return descriptor
    }

    /// Ends all connections and downloads, and waits for that.
    func stop() async {
        state.withLock { state in
            state.isStopping = true
            shutdown(listener, Int32(SHUT_RDWR))
            for descriptor in state.connections.keys { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
        while state.withLock({ $0.threads > 0 }) {
            // A cancelled task does not sleep, and waits all the same.
            if (try? await Task.sleep(for: .milliseconds(5))) == nil { await Task.yield() }
        }
        close(listener)
    }

    var isStopping: Bool { state.withLock(\.isStopping) }

    private func acceptAll() {
        while true {
            let descriptor = if_accept(listener)
            if descriptor < 0, errno == EINTR || errno == ECONNABORTED { continue }
            if descriptor < 0, !isStopping, errno == EMFILE || errno == ENFILE || errno == ENOMEM {
                usleep(100_000)
                continue
            }
            guard descriptor >= 0 else { return }
            serve(descriptor)
        }
    }

    private func serve(_ descriptor: Int32) {
        let stream = GuestStream(descriptor)
        let isWelcome = state.withLock { state in
            guard !state.isStopping, state.connections.count < Self.connectionLimit else { return false }
            state.connections[descriptor] = stream
            state.threads += 1
            return true
        }
        guard isWelcome else {
            close(descriptor)
            return
        }
        DetachedThread.start { [self] in
            ProxyConnection(stream: stream, proxy: self).run()
            state.withLock { state in
                state.connections[descriptor] = nil
                state.threads -= 1
                close(descriptor)
            }
        }
    }

    /// Runs `body` with a download, of which only so many run at a time, and removes what is left of its files.
    func withFetch<Value>(_ wish: UpstreamFetch.Wish, _ body: (UpstreamFetch) throws -> Value) throws -> Value {
        let number = try takeTurn()
        defer { state.withLock { $0.fetches -= 1 } }
        let folder = settings.scratch.appending("fetch-\(number)")
        guard mkdir(folder.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
        defer { ScratchFolder.removeFlat(folder.string) }
        try Containment.handOver(folder)
        let fetch = UpstreamFetch(wish, folder: folder, runner: runner)
        defer { fetch.stop() }
        return try body(fetch)
    }

    private func takeTurn() throws -> Int {
        while true {
            let (number, isStopping) = state.withLock { state -> (Int?, Bool) in
                guard !state.isStopping, state.fetches < Self.fetchLimit else { return (nil, state.isStopping) }
                state.fetches += 1
                state.lastFolder += 1
                return (state.lastFolder, false)
            }
            if let number { return number }
            if isStopping { throw Errno.canceled }
            usleep(5000)
        }
    }
}
