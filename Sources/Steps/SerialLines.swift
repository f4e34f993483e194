import Synchronization

/// Cuts the text of a serial console into lines for a log.
final class SerialLines: Sendable {
    private let pending = Mutex<[UInt8]>([])
    private let line: @Sendable (String) -> Void
    private static let longest = 4096

    init(_ line: @escaping @Sendable (String) -> Void) { self.line = line }

    func append(_ bytes: [UInt8]) {
        let complete = pending.withLock { pending -> [[UInt8]] in
            pending += bytes
            var lines: [[UInt8]] = []
            while let end = pending.firstIndex(of: 0x0a) {
                lines.append(Array(pending[..<end]))
                pending.removeSubrange(...end)
            }
            if pending.count > Self.longest {
                lines.append(pending)
                pending = []
            }
            return lines
        }
        for bytes in complete {
            for text in SerialText.lastLines(bytes, count: 1) where !text.isEmpty { line(text) }
        }
    }
}
