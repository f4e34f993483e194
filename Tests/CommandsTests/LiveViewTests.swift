import Model
import Testing

@testable import Commands

@Suite struct LiveViewTests {
    private static let middle: [(Double, BuildEvent.Kind)] = [
        (0, EventMaker.plan),
        (0.1, .finished(step: "bootstrap", outcome: .reused, seconds: 0.1)),
        (0.2, .started(step: "configure", activity: "configuring the tree")),
        (0.3, .log(step: "configure", line: "Setting up linux-image-amd64 (6.12.48-1) ...")),
        (0.4, .progress(step: "configure", done: 12, total: 34, unit: "packages")),
        (0.5, .started(step: "disk", activity: "making the disk")),
        (0.6, .progress(step: "disk", done: 12_900_000, total: 47_200_000, unit: nil)),
    ]

    private func frame(
        _ kinds: [(Double, BuildEvent.Kind)], _ columns: Int, rows: Int = 24, now: Double = 12,
        traits: TerminalTraits = .unicode, verbosity: Verbosity = .normal
    ) -> [String] {
        LiveView(traits: traits, verbosity: verbosity).frame(
            EventMaker.state(kinds), TerminalSize(columns: columns, rows: rows), now: EventMaker.epoch + now)
    }

    private func notes(
        _ kinds: [(Double, BuildEvent.Kind)], _ columns: Int = 60, traits: TerminalTraits = .unicode,
        verbosity: Verbosity = .normal
    ) -> [String] {
        let view = LiveView(traits: traits, verbosity: verbosity)
        var state = BuildState()
        return EventMaker.events(kinds).compactMap { event in
            state.apply(event)
            return view.note(of: event, state).map { view.line($0, state, columns: columns) }
        }
    }

    @Test func `On 80 columns a step has activity, bar, amount, time and its last log line`() {
        let lines = [
            "⠋ configure  configuring the tree  ━━━━━━━━───────────────  12/34 packages  11 s",
            "             Setting up linux-image-amd64 (6.12.48-1) ...",
            "⠋ disk       making the disk       ━━━━━━─────────────────   12.3/45.0 MiB  11 s",
            "  1/4 steps · 1 reused                                                      12 s",
        ]
        #expect(frame(Self.middle, 80) == lines)
    }

    @Test func `On 40 columns the amount is a percentage and texts are shortened`() {
        let lines = [
            "⠋ configure  configuring t…   35 %  11 s",
            "    Setting up linux-image-amd64 (6.12.…",
            "⠋ disk       making the di…   27 %  11 s",
            "  1/4 steps · 1 reused              12 s",
        ]
        #expect(frame(Self.middle, 40) == lines)
    }

    @Test func `On 200 columns lines end at the hundredth`() {
        let lines = frame(Self.middle, 200)
        #expect(lines.map { TextWidth.of($0) }.max() == 100)
        #expect(
            lines.first == "⠋ configure  configuring the tree                     "
                + "━━━━━━━━────────────────  12/34 packages  11 s")
    }

    @Test func `Without UTF-8 only ASCII is drawn`() {
        let lines = [
            "| configure  configuring the tree  [#######..............]  12/34 packages  11 s",
            "             Setting up linux-image-amd64 (6.12.48-1) ...",
            "| disk       making the disk       [#####................]   12.3/45.0 MiB  11 s",
            "  1/4 steps, 1 reused                                                       12 s",
        ]
        #expect(frame(Self.middle, 80, traits: .ascii) == lines)
    }

    @Test(arguments: 1...130)
    func `No line is wider than the terminal`(columns: Int) {
        let kinds =
            Self.middle + [
                (0.7, .log(step: "disk", line: String(repeating: "漢字", count: 90))),
                (0.8, .started(step: "disk", activity: String(repeating: "ein Verzeichnis 🗂️ ", count: 20))),
                (0.9, .progress(step: "disk", done: 1 << 40, total: 1 << 50, unit: nil)),
            ]
        for line in frame(kinds, columns, now: 7000) { #expect(TextWidth.of(line) <= columns) }
        for line in notes([(0, EventMaker.plan), (1, .finished(step: "disk", outcome: .failed, seconds: 9))], columns) {
            #expect(TextWidth.of(line) <= columns)
        }
    }

    @Test func `Colours are escape sequences around the same text`() {
        let colored = frame(Self.middle, 80, traits: .colored)
        #expect(colored[1] == "\u{1b}[2m             Setting up linux-image-amd64 (6.12.48-1) ...\u{1b}[0m")
        #expect(colored.map { Printable.line($0) } == frame(Self.middle, 80))
    }

    @Test func `Without colours there is no escape character`() {
        let all = frame(Self.middle, 80) + notes([(0, .warning(step: nil, message: "x"))])
        #expect(!all.joined().contains("\u{1b}"))
    }

    @Test func `Control characters of a log line never reach the screen`() {
        let line = "\u{1b}[2J\u{1b}[31mred\u{1b}[0m\u{7}\u{1b}]0;title\u{7}\u{9b}5A\ttail"
        let kinds: [(Double, BuildEvent.Kind)] = [
            (0, .started(step: "disk", activity: "a\u{1b}[H\nb")), (1, .log(step: "disk", line: line)),
        ]
        let lines = frame(kinds, 80)
        #expect(lines[0].hasPrefix("⠋ disk  a\\x0ab "))
        #expect(lines[1] == "        red\\x07\\x1b]0;title\\x07\\x9b5A tail")
    }

    @Test func `A line that rewrites itself shows its last state`() {
        let kinds: [(Double, BuildEvent.Kind)] = [
            (0, .started(step: "disk", activity: "a")), (1, .log(step: "disk", line: "10 %\r20 %\r30 %\r")),
        ]
        #expect(frame(kinds, 80)[1] == "        30 %")
    }

    @Test func `A step that logs before it starts is shown as running`() {
        let kinds: [(Double, BuildEvent.Kind)] = [
            (0, EventMaker.plan), (2, .log(step: "bootstrap", line: "waiting for another build")),
        ]
        let lines = frame(kinds, 60)
        #expect(lines[0] == "⠋ bootstrap  installing debian trixie                   10 s")
        #expect(lines[1] == "             waiting for another build")
    }

    @Test func `Few rows show steps without log lines, and fewer of them only the first`() {
        #expect(frame(Self.middle, 40, rows: 5).map { $0.prefix(11) } == ["⠋ configure", "⠋ disk     ", "  1/4 steps"])
        #expect(frame(Self.middle, 40, rows: 3).map { $0.prefix(11) } == ["  and 2 mor", "  1/4 steps"])
    }

    @Test func `A new activity starts with an empty bar and keeps the time`() {
        let lines = frame(Self.middle + [(5, .started(step: "disk", activity: "checking"))], 60)
        #expect(lines[2] == "⠋ disk       checking                                   11 s")
    }

    @Test func `A build that stops says so`() {
        var state = EventMaker.state(Self.middle)
        state.isStopping = true
        let lines = LiveView(traits: .unicode, verbosity: .normal)
            .frame(state, TerminalSize(columns: 60, rows: 24), now: EventMaker.epoch)
        #expect(lines.last?.hasPrefix("  1/4 steps · 1 reused · stopping…") == true)
    }

    @Test func `Nothing is drawn before the first event, after the end, or quietly`() {
        #expect(frame([], 80) == [])
        #expect(frame(Self.middle + [(9, .ended(outcome: .succeeded, seconds: 9))], 80) == [])
        #expect(frame(Self.middle, 80, verbosity: .quiet) == [])
    }

    static let ends: [(Double, BuildEvent.Kind)] = [
        (0, EventMaker.plan),
        (0.1, .finished(step: "bootstrap", outcome: .reused, seconds: 0.1)),
        (1, .started(step: "configure", activity: "configuring the tree")),
        (2, .log(step: "configure", line: "a line")),
        (3, .warning(step: "configure", message: "no kernel")),
        (13.3, .finished(step: "configure", outcome: .succeeded, seconds: 12.34)),
        (14, .finished(step: "disk", outcome: .failed, seconds: 72)),
        (15, .finished(step: "qcow2", outcome: .cancelled, seconds: 3)),
    ]

    @Test func `Finished steps and warnings stay as lines`() {
        let lines = [
            "● bootstrap  installing debian trixie                 reused",
            "warning: configure: no kernel",
            "✓ configure  configuring the tree                     12.3 s",
            "✗ disk       making the disk         failed after 1 min 12 s",
            "– qcow2      writing web-1.0.qcow2                 cancelled",
        ]
        #expect(notes(Self.ends) == lines)
    }

    @Test func `Finished steps have marks in ASCII`() {
        #expect(notes(Self.ends, traits: .ascii).map { $0.prefix(3) } == ["= b", "war", "+ c", "x d", "- q"])
    }

    @Test func `Quietly only warnings and failures stay`() {
        #expect(notes(Self.ends, verbosity: .quiet).map { $0.prefix(7) } == ["warning", "✗ disk "])
    }

    @Test func `With more words each log line stays, with its step, and none is below`() {
        #expect(notes(Self.ends, verbosity: .verbose).contains("configure │ a line"))
        #expect(frame(Self.middle, 80, verbosity: .verbose).count == 3)
    }
}
