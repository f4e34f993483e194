import Glibc
package import Model
import Synchronization

/// Shows a build on a terminal: finished steps scroll up, running steps stay below them and are drawn anew, at most
/// ten times a second, by a thread of its own. A terminal that takes nothing holds up the thread, not the build.
package final class LiveRenderer: EventRenderer {
    private struct Pending: Sendable {
        var state = BuildState()
        var notes: [LiveView.Note] = []
        var omitted = 0
    }

    private let view: LiveView
    private let clock: WallClock
    private let output: TextOutput
    private let pending = Mutex(Pending())
    private let screen = Mutex(LiveScreen())
    private let thread = Mutex<BackgroundThread?>(nil)
    /// What ends the thread.
    private let wake = WakePipe()
    /// Notes that are kept while the terminal takes none.
    private static let backlog = 5000
    private static let interval: Int32 = 100

    /// - Parameters:
    ///   - clock: the clock that stamps the events.
    ///   - descriptor: a terminal, open for writing.
    package init(
        traits: TerminalTraits, verbosity: Verbosity, clock: WallClock, descriptor: Int32 = STDERR_FILENO
    ) {
        view = LiveView(traits: traits, verbosity: verbosity)
        self.clock = clock
        output = TextOutput(descriptor: descriptor)
        thread.withLock { thread in
            thread = BackgroundThread { [self] in
                while wake.next(milliseconds: Self.interval) == nil { draw(last: false) }
            }
        }
    }

    package func consume(_ event: BuildEvent) {
        pending.withLock { pending in
            pending.state.apply(event)
            guard let note = view.note(of: event, pending.state) else { return }
            if pending.notes.count < Self.backlog { pending.notes.append(note) } else { pending.omitted += 1 }
        }
    }

    package func stopping() { pending.withLock { $0.state.isStopping = true } }

    package func finish() {
        guard let drawing = thread.withLock({ $0.take() }) else { return }
        wake.send(0)
        drawing.join()
        draw(last: true)
        TerminalCursor.restore(patience: -1)
    }

    private func draw(last: Bool) {
        let (state, notes) = take(last: last)
        let size = TerminalSize(descriptor: output.descriptor)
        let permanent = notes.map { view.line($0, state, columns: size.columns) }
        let frame = last || !isForeground ? [] : view.frame(state, size, now: clock.now())
        let text = screen.withLock { $0.update(permanent: permanent, frame: frame, columns: size.columns) }
        guard !text.isEmpty else { return }
        if !frame.isEmpty { TerminalCursor.hide(output.descriptor) }
        _ = output.write(text)
    }

    /// The state and the notes since the last drawing. The last one says what was still running.
    private func take(last: Bool) -> (BuildState, [LiveView.Note]) {
        pending.withLock { pending in
            var notes = pending.notes
            if pending.omitted > 0 { notes.append(.omitted(pending.omitted)) }
            if last, view.verbosity != .quiet { notes += pending.state.running.map { .finished($0) } }
            pending.notes = []
            pending.omitted = 0
            return (pending.state, notes)
        }
    }

    /// In the background of a shell the terminal belongs to another: nothing is drawn over it.
    private var isForeground: Bool {
        let group = tcgetpgrp(output.descriptor)
        return group < 0 || group == getpgrp()
    }
}
