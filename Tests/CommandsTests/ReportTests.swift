import Model
import Testing

@testable import Commands

@Suite struct ReportTests {
    private let failure = FactoryError(
        .failed, "mmdebstrap ended with status 25", remedy: "Check the mirror.", activity: "installing debian trixie",
        log: "/var/log/a")

    @Test func `A failure tells activity, remedy, the end of the log and its path`() {
        let report = FailureReport(failure, tail: LogTail(step: "bootstrap", lines: ["one", "two\u{1b}[31m\u{7}"]))
        let lines = [
            "error: Failure encountered while: installing debian trixie: mmdebstrap ended with status 25",
            "hint: Check the mirror.",
            "The log of bootstrap ends with:",
            "    one",
            "    two\\x07",
            "log: /var/log/a",
        ]
        #expect(report.lines(.unicode) == lines)
    }

    @Test func `A failure without activity is its message`() {
        #expect(FailureReport(FactoryError(.usage, "no file")).lines(.unicode) == ["error: no file"])
    }

    @Test func `Colours are on the labels`() {
        let lines = FailureReport(FactoryError(.usage, "no file")).lines(.colored)
        #expect(lines == ["\u{1b}[1;31merror:\u{1b}[0m no file"])
    }

    @Test func `An invalid input shows all its problems`() {
        let error = InvalidInput([
            Diagnostic(file: "a.yaml", line: 3, column: 7, .error, "unknown key 'pakages'"),
            Diagnostic(file: "a.yaml", line: 9, column: 1, .warning, "old"),
        ])
        let lines = ["a.yaml:3:7: error: unknown key 'pakages'", "a.yaml:9:1: warning: old"]
        #expect(FailureReport(error).lines(.unicode) == lines)
        #expect(FailureReport.status(of: error) == 65)
    }

    @Test func `What was cancelled is no failure to tell`() {
        #expect(FailureReport(CancellationError()).lines(.unicode) == [])
        #expect(FailureReport.status(of: CancellationError()) == 130)
    }

    @Test func `The last lines of the step that failed first are kept`() {
        let keeper = TailKeeper(limit: 3)
        var maker = EventMaker()
        for count in 1...100 { keeper.consume(maker.at(0, .log(step: "disk", line: "\(count)"))) }
        keeper.consume(maker.at(0, .log(step: "other", line: "x")))
        #expect(keeper.failed == nil)
        keeper.consume(maker.at(1, .finished(step: "disk", outcome: .failed, seconds: 1)))
        keeper.consume(maker.at(1, .finished(step: "other", outcome: .failed, seconds: 1)))
        #expect(keeper.failed == LogTail(step: "disk", lines: ["98", "99", "100"]))
    }

    @Test func `A summary shows files and times`() throws {
        let digest = try #require(Digest("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        let summary = BuildSummary(
            name: "web-1.0",
            files: [
                .init(path: "out/web-1.0.qcow2", size: .gibi(4), allocated: .mebi(312), digest: digest),
                .init(path: "out/web-1.0.raw", size: .gibi(4), allocated: .gibi(1), digest: digest),
            ],
            steps: [
                .init(name: "bootstrap", outcome: .reused, seconds: 0),
                .init(name: "disk", outcome: .succeeded, seconds: 6.1),
            ], seconds: 72)
        let lines = [
            "",
            "✓ Built web-1.0 in 1 min 12 s · 1 of 2 steps reused",
            "",
            "  File                  Size  On disk  SHA-256",
            "  out/web-1.0.qcow2  4.0 GiB  312 MiB  ba7816bf8f01",
            "  out/web-1.0.raw    4.0 GiB  1.0 GiB  ba7816bf8f01",
            "",
            "  Step             Time",
            "  bootstrap      reused",
            "  disk            6.1 s",
            "  total      1 min 12 s",
        ]
        #expect(summary.lines(.unicode) == lines)
    }

    @Test func `Step times come in the order of the plan`() {
        let times = StepTimes()
        let kinds: [(Double, BuildEvent.Kind)] = [
            (0, EventMaker.plan), (1, .finished(step: "disk", outcome: .succeeded, seconds: 1)),
            (2, .finished(step: "bootstrap", outcome: .reused, seconds: 0)),
        ]
        for event in EventMaker.events(kinds) { times.consume(event) }
        #expect(times.steps.map(\.name) == ["bootstrap", "disk"])
    }

    @Test func `An event is one line of JSON with sorted keys`() {
        let event = BuildEvent(number: 3, time: 12.5, kind: .log(step: "disk", line: "a\n\u{1b}/b"))
        let line = #"{"kind":{"log":{"line":"a\n\u001b/b","step":"disk"}},"number":3,"time":12.5}"#
        #expect(JSONRenderer.line(event) == line)
    }
}
