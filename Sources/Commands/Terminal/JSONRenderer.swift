import Glibc
package import Model
import Synchronization

/// Shows a build to a program: each event as one line of JSON with sorted keys.
package final class JSONRenderer: EventRenderer {
    private let output: TextOutput
    private let isOpen = Mutex(true)

    package init(descriptor: Int32 = STDOUT_FILENO) { output = TextOutput(descriptor: descriptor) }

    package func consume(_ event: BuildEvent) {
        guard let line = Self.line(event) else { return }
        isOpen.withLock { isOpen in
            // A reader that is gone ends the lines, not the build.
            if isOpen { isOpen = output.write(line + "\n") }
        }
    }

    package func finish() {}

    /// Nil for an event that JSON cannot express: one with a time that is no number.
    static func line(_ event: BuildEvent) -> String? {
        (try? Canonical.bytes(event)).map { String(decoding: $0, as: UTF8.self) }
    }
}
