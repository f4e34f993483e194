import Glibc
import Model
import Synchronization
import SystemPackage

/// Takes what a guest's serial console says: into a log file with a limit, into the matcher, and on to listeners.
final class SerialRecorder: Sendable {
    /// What is kept in memory for the last lines, in bytes.
    private static let tailLimit = 64 << 10

    private struct State {
        var matcher: SerialMatcher
        var signs: [BootSign] = []
        var clues: Set<BootSign.Clue> = []
        var count = 0
        var tail: [UInt8] = []
        var isFull = false
    }

    private let state: Mutex<State>
    /// What the log file holds at most, in bytes.
    private let logLimit: Int
    private let log: FileDescriptor
    private let onBytes: @Sendable ([UInt8]) -> Void

    /// Makes the log file anew.
    init(
        log path: FilePath, rules: SerialMatcher.Rules = SerialMatcher.boot, logLimit: Int = 64 << 20,
        onBytes: @escaping @Sendable ([UInt8]) -> Void
    ) throws {
        state = Mutex(State(matcher: SerialMatcher(rules)))
        self.logLimit = logLimit
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
            for sign in state.matcher.signs(adding: bytes) {
                if case .clue(let clue) = sign {
                    state.clues.insert(clue)
                } else if state.signs.count < 64, state.signs.last != sign {
                    state.signs.append(sign)
                }
            }
        }
        onBytes(bytes)
    }

    /// A log that cannot be written is no reason to end the guest.
    private func record(_ bytes: [UInt8], in state: inout State) {
        guard !state.isFull else { return }
        let room = logLimit - state.count
        _ = try? log.writeAll(bytes.prefix(room))
        if bytes.count > room {
            state.isFull = true
            let limit = ByteCount(UInt64(logLimit))
            _ = try? log.writeAll("\n[the rest is not kept: the log has reached \(limit)]\n".utf8)
        }
    }

    /// The signs so far, without repetitions.
    var signs: [BootSign] { state.withLock(\.signs) }

    var clues: Set<BootSign.Clue> { state.withLock(\.clues) }

    /// How many bytes have come.
    var count: Int { state.withLock(\.count) }

    func lastLines(_ count: Int) -> [String] { SerialText.lastLines(state.withLock(\.tail), count: count) }
}
