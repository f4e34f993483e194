import Glibc
import Synchronization
import SystemPackage

/// Takes what a guest's serial console says: into a log file with a limit, into the matcher, and on to listeners.
final class SerialRecorder: Sendable {
    /// What the log file holds at most, in bytes.
    private static let logLimit = 64 << 20
    /// What is kept in memory for the last lines, in bytes.
    private static let tailLimit = 64 << 10

    private struct State {
        var matcher = SerialMatcher()
        var signs: [BootSign] = []
        var count = 0
        var tail: [UInt8] = []
        var isFull = false
    }

    private let state = Mutex(State())
    private let log: FileDescriptor
    private let onBytes: @Sendable ([UInt8]) -> Void

    /// Makes the log file anew.
    init(log path: FilePath, onBytes: @escaping @Sendable ([UInt8]) -> Void) throws {
        log = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate, .noFollow, .closeOnExec],
            permissions: FilePermissions(rawValue: 0o644))
        self.onBytes = onBytes
    }

    deinit { try? log.close() }

    func append(_ bytes: [UInt8]) {
        state.withLock { state in
            record(bytes, in: &state)
            state.count += bytes.count
            state.tail += bytes
            if state.tail.count > 2 * Self.tailLimit { state.tail.removeFirst(state.tail.count - Self.tailLimit) }
            for sign in state.matcher.signs(adding: bytes) where state.signs.count < 64 && state.signs.last != sign {
                state.signs.append(sign)
            }
        }
        onBytes(bytes)
    }

    /// A log that cannot be written is no reason to end the guest.
    private func record(_ bytes: [UInt8], in state: inout State) {
        guard !state.isFull else { return }
        let room = Self.logLimit - state.count
        _ = try? log.writeAll(bytes.prefix(room))
        if bytes.count > room {
            state.isFull = true
            _ = try? log.writeAll("\n[the rest is not kept: the log has reached 64 MiB]\n".utf8)
        }
    }

    /// The signs so far, without repetitions.
    var signs: [BootSign] { state.withLock(\.signs) }

    /// How many bytes have come.
    var count: Int { state.withLock(\.count) }

    func lastLines(_ count: Int) -> [String] { SerialText.lastLines(state.withLock(\.tail), count: count) }
}
