import CLinux
import Glibc

/// Lets one thread wait for bytes that others send: signals, or the word to end.
final class WakePipe: Sendable {
    private let reader: Int32
    /// Never blocks; for signal handlers too.
    let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        _ = if_wake_pipe(&ends)
        reader = ends[0]
        writer = ends[1]
    }

    deinit {
        for end in [reader, writer] where end >= 0 { close(end) }
    }

    /// Waits for the next byte: nil when none came in time. Without a limit when `milliseconds` is negative.
    func next(milliseconds: Int32) -> UInt8? {
        var ready = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, milliseconds) == 1 else { return nil }
        var byte: UInt8 = 0
        return read(reader, &byte, 1) == 1 ? byte : nil
    }

    /// Whether there is a pipe: the process may have too many open files.
    var isOpen: Bool { writer >= 0 }

    /// Tried again, for who waits would wait forever; a pipe that is full wakes them too.
    func send(_ byte: UInt8) {
        var byte = byte
        for _ in 0..<3 where write(writer, &byte, 1) == 1 { return }
    }
}
