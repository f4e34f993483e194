import Synchronization

/// Collects what a program writes on its two streams and hands the lines on, one at a time.
final class OutputRecorder: Sendable {
    private struct State {
        var splitters: [OutputStream: LineSplitter] = [.output: LineSplitter(), .error: LineSplitter()]
        var captured: [UInt8] = []
        var isTruncated = false
        var lastLines: [String] = []
    }

    private static let keptLines = 20
    private let state = Mutex(State())
    private let captureLimit: Int
    private let command: Command
    private let onLine: LineHandler

    init(command: Command, captureLimit: Int, onLine: @escaping LineHandler) {
        self.command = command
        self.captureLimit = captureLimit
        self.onLine = onLine
    }

    func append(_ bytes: UnsafeRawBufferPointer, from stream: OutputStream) {
        state.withLock { state in
            if stream == .output {
                let room = captureLimit - state.captured.count
                state.captured.append(contentsOf: bytes.prefix(room))
                if bytes.count > room { state.isTruncated = true }
            }
            for line in state.splitters[stream]?.append(bytes) ?? [] { deliver(line, from: stream, to: &state) }
        }
    }

    /// To be called when a stream has ended.
    func finish(_ stream: OutputStream) {
        state.withLock { state in
            if let line = state.splitters[stream]?.finish() { deliver(line, from: stream, to: &state) }
        }
    }

    /// The handler is called under the lock: that keeps the lines of the two streams in order.
    private func deliver(_ line: String, from stream: OutputStream, to state: inout State) {
        let line = command.masking(line)
        if state.lastLines.count == Self.keptLines { state.lastLines.removeFirst() }
        state.lastLines.append(line)
        onLine(stream, line)
    }

    var lastLines: [String] { state.withLock { $0.lastLines } }

    func result(ending: CommandResult.Ending) -> CommandResult {
        state.withLock {
            CommandResult(
                ending: ending, standardOutput: $0.captured, standardOutputIsTruncated: $0.isTruncated,
                lastLines: $0.lastLines)
        }
    }
}
