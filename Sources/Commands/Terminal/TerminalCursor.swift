import Glibc
import Synchronization

/// The cursor of the terminal that this process draws on: hidden while it draws, shown again in every orderly end.
package enum TerminalCursor {
    /// The descriptor of the terminal whose cursor is hidden, or -1.
    private static let hidden = Atomic<Int32>(-1)
    private static let registered = Atomic(false)

    static func hide(_ descriptor: Int32) {
        guard hidden.exchange(descriptor, ordering: .acquiringAndReleasing) != descriptor else { return }
        if !registered.exchange(true, ordering: .acquiringAndReleasing) { atexit { TerminalCursor.restore() } }
        _ = TextOutput(descriptor: descriptor).write("\u{1b}[?25l")
    }

    /// Shows the cursor if it is hidden.
    /// - Parameter patience: how long to wait for a terminal that takes nothing, in milliseconds; -1 for ever.
    package static func restore(patience: Int32 = 100) {
        let descriptor = hidden.exchange(-1, ordering: .acquiringAndReleasing)
        guard descriptor >= 0 else { return }
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, patience) == 1 else { return }
        _ = TextOutput(descriptor: descriptor).write("\u{1b}[?7h\u{1b}[?25h")
    }
}

/// Writes text to an open file.
struct TextOutput: Sendable {
    let descriptor: Int32

    /// False if the file takes no more: its reader is gone, or the disk is full.
    func write(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let count = Glibc.write(descriptor, start, rest.count)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                } else if count < 0, errno == EAGAIN {
                    // Another holder of the same terminal may have made it non-blocking.
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&ready, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
