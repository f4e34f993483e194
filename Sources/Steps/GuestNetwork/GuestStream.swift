import Glibc
import SystemPackage

/// A connection that a guest is behind, used by one thread of its own that may block. Every wait has an end.
final class GuestStream: Sendable {
    /// How long a guest may leave bytes that were sent to it.
    private static let sendLimit = 300

    let descriptor: Int32

    /// The descriptor stays its caller's.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: Self.sendLimit, tv_usec: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// What has come, at least a byte; empty at the end, and where nothing comes before the deadline.
    func receive(before deadline: ContinuousClock.Instant) -> [UInt8] {
        while true {
            let left = ContinuousClock.now.duration(to: deadline).components.seconds
            guard left >= 0 else { return [] }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&entry, 1, Int32(min(left, 3600)) * 1000 + 500)
            if ready == 0 || ready < 0 && errno == EINTR { continue }
            var buffer = [UInt8](repeating: 0, count: 8 << 10)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            return count > 0 ? Array(buffer[..<count]) : []
        }
    }

    func send(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try send($0) } }

    func send(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.send(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Errno(rawValue: errno) }
            rest = rest.dropFirst(count)
        }
    }
}
