import Glibc
import Model
import Synchronization
import SystemPackage

/// The whole log of one step in a file. A log that cannot be written is no reason for a build to fail.
final class StepLog: Sendable {
    private let descriptor: Mutex<FileDescriptor?>
    private let written = Mutex(0)
    /// A guest or a command may print without end.
    private static let cap = 64 << 20

    init(_ path: FilePath) {
        let file = try? FileDescriptor.open(
            path, .writeOnly, options: [.create, .append, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        descriptor = Mutex(file)
    }

    static func remove(_ path: FilePath) { _ = unlink(path.string) }

    deinit { descriptor.withLock { try? $0?.close() } }

    func append(_ kind: BuildEvent.Kind) {
        let text: String
        switch kind {
        case .log(_, let line): text = line
        case .warning(_, let message): text = "warning: " + message
        default: return
        }
        let bytes = Array((text + "\n").utf8)
        let full = written.withLock { count in
            count += bytes.count
            return count > Self.cap
        }
        guard !full else { return }
        descriptor.withLock { _ = try? $0?.writeAll(bytes) }
    }
}
