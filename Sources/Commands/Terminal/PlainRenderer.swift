import Glibc
package import Model
import Synchronization

/// Shows a build in lines of text, each with the seconds since its start: for files, pipes and dumb terminals.
package final class PlainRenderer: EventRenderer {
    private let output: TextOutput
    private let transcript: Mutex<PlainTranscript>

    package init(traits: TerminalTraits, verbosity: Verbosity, descriptor: Int32 = STDERR_FILENO) {
        output = TextOutput(descriptor: descriptor)
        transcript = Mutex(PlainTranscript(verbosity: verbosity, unicode: traits.unicode))
    }

    package func consume(_ event: BuildEvent) {
        transcript.withLock { write($0.lines(for: event)) }
    }

    package func stopping() {
        transcript.withLock { transcript in write(transcript.stopping().map { [$0] } ?? []) }
    }

    package func finish() {}

    private func write(_ lines: [String]) {
        if !lines.isEmpty { _ = output.write(lines.map { $0 + "\n" }.joined()) }
    }
}
