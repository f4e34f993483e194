import Model
import Testing

@testable import Commands

@Suite struct PlainTranscriptTests {
    private func lines(
        _ kinds: [(Double, BuildEvent.Kind)], _ verbosity: Verbosity = .normal, unicode: Bool = true
    ) -> [String] {
        var transcript = PlainTranscript(verbosity: verbosity, unicode: unicode)
        return EventMaker.events(kinds).flatMap { transcript.lines(for: $0) }
    }

    private static let build: [(Double, BuildEvent.Kind)] = [
        (0, EventMaker.plan),
        (0.2, .finished(step: "bootstrap", outcome: .reused, seconds: 0.1)),
        (12.3, .started(step: "configure", activity: "configuring the tree")),
        (12.5, .log(step: "configure", line: "Setting up\u{1b}[0m linux\u{7}")),
        (13, .warning(step: "configure", message: "no kernel")),
        (13, .warning(step: nil, message: "the mirror is slow")),
        (40.1, .finished(step: "configure", outcome: .succeeded, seconds: 27.8)),
        (41, .finished(step: "disk", outcome: .failed, seconds: 0.9)),
        (1041, .ended(outcome: .failed, seconds: 1041)),
    ]

    @Test func `A build is told with the seconds since its start`() {
        let expected = [
            "[   0.0s] 4 steps",
            "[   0.2s] bootstrap: reused",
            "[  12.3s] configure: configuring the tree …",
            "[  13.0s] configure: warning: no kernel",
            "[  13.0s] warning: the mirror is slow",
            "[  40.1s] configure: done in 27.8 s",
            "[  41.0s] disk: failed after 0.9 s",
            "[1041.0s] build: failed after 17 min 21 s",
        ]
        #expect(lines(Self.build) == expected)
    }

    @Test func `With more words each log line is told, without control characters`() {
        #expect(lines(Self.build, .verbose).contains("[  12.5s] configure | Setting up linux\\x07"))
    }

    @Test func `Quietly only warnings and failures are told`() {
        let expected = [
            "[  13.0s] configure: warning: no kernel",
            "[  13.0s] warning: the mirror is slow",
            "[  41.0s] disk: failed after 0.9 s",
        ]
        #expect(lines(Self.build, .quiet) == expected)
    }

    @Test func `Without UTF-8 there is only ASCII`() {
        #expect(lines(Self.build, unicode: false)[2] == "[  12.3s] configure: configuring the tree ...")
    }

    @Test func `Slow progress is told every ten seconds`() {
        let progress = (0...300).map { second in
            (
                Double(second) / 10,
                BuildEvent.Kind.progress(step: "disk", done: UInt64(second), total: 100_000, unit: "files")
            )
        }
        #expect(
            lines(progress) == [
                "[  10.0s] disk: 0 % (100/100000 files)", "[  20.0s] disk: 0 % (200/100000 files)",
                "[  30.0s] disk: 0 % (300/100000 files)",
            ])
    }

    @Test func `Fast progress is told at each quarter, and not at its end`() {
        let progress = (0...100).map { part in
            (Double(part) / 20, BuildEvent.Kind.progress(step: "disk", done: UInt64(part), total: 100, unit: "%"))
        }
        #expect(lines(progress) == ["[   1.3s] disk: 25 %", "[   2.5s] disk: 50 %", "[   3.8s] disk: 75 %"])
    }

    @Test func `Progress in less than a second is not told`() {
        let progress = (0...100).map { part in
            (Double(part) / 200, BuildEvent.Kind.progress(step: "disk", done: UInt64(part), total: 100, unit: nil))
        }
        #expect(lines(progress).isEmpty)
    }
}
