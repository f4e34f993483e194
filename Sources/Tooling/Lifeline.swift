import CLinux
import Glibc
import Model
import SystemPackage
import Synchronization

/// A pipe whose writing end only this process holds: when it closes, because of `cut` or because this process is no
/// more, the containment at the other end ends.
final class Lifeline: Sendable {
    /// For the standard input of the contained process; its owner closes it.
    let far: FileDescriptor
    private let near: Mutex<FileDescriptor?>

    init() throws {
        var ends: [Int32] = [-1, -1]
        // Close-on-exec from the start: a program started by another task meanwhile must not keep the pipe open.
        guard if_pipe(&ends) == 0 else {
            throw FactoryError(.osFailure, "cannot make a pipe: \(Errno(rawValue: errno))")
        }
        far = FileDescriptor(rawValue: ends[0])
        near = Mutex(FileDescriptor(rawValue: ends[1]))
    }

    func cut() {
        near.withLock { descriptor in
            try? descriptor?.close()
            descriptor = nil
        }
    }

    deinit { cut() }
}
