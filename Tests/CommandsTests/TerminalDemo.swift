import Commands
import Glibc
import Model
import Testing

/// Plays a build on standard error, to be looked at. `IMAGE_FACTORY_TERMINAL_DEMO` says which: `good`, `bad` or `long`,
/// and after a blank the verbosity. It is no test of anything and stays out of ordinary runs.
@Suite struct TerminalDemo {
    private static let wanted = getenv("IMAGE_FACTORY_TERMINAL_DEMO").map { String(cString: $0) }

    @Test(.enabled(if: wanted != nil)) func `A build is played`() async {
        let words = (Self.wanted ?? "").split(separator: " ")
        let verbosity: Verbosity = words.contains("verbose") ? .verbose : words.contains("quiet") ? .quiet : .normal
        let style: ProgressStyle = words.contains("plain") ? .plain : .automatic
        let clock = WallClock {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let renderer = style.renderer(verbosity: verbosity, clock: clock)
        let status = await SignalTrap.run(stopping: { renderer.stopping() }) {
            defer { renderer.finish() }
            return try await Player(renderer: renderer, clock: clock, fails: words.contains("bad")).play()
        }
        exit(status)
    }
}

private actor Player {
    private let renderer: any EventRenderer
    private let tail = TailKeeper()
    private let times = StepTimes()
    private let clock: WallClock
    private let fails: Bool
    private var number = 0

    init(renderer: any EventRenderer, clock: WallClock, fails: Bool) {
        self.renderer = renderer
        self.clock = clock
        self.fails = fails
    }

    func play() async throws -> Int32 {
        let start = clock.now()
        send(EventMaker.plan)
        send(.finished(step: "bootstrap", outcome: .reused, seconds: 0.1))
        async let configured: Void = configure()
        try await disk()
        try await configured
        send(.started(step: "qcow2", activity: "writing web-1.0.qcow2"))
        for percent in 0...30 { try await tick(.progress(step: "qcow2", done: UInt64(percent), total: 100, unit: "%")) }
        guard !fails else { return failed() }
        send(.finished(step: "qcow2", outcome: .succeeded, seconds: 3.1))
        let seconds = clock.now() - start
        send(.ended(outcome: .succeeded, seconds: seconds))
        renderer.finish()
        let file = BuildSummary.File(
            path: "web-1.0.qcow2", size: .gibi(4), allocated: .mebi(312), digest: Digest(of: [1]))
        BuildSummary(name: "web-1.0", files: [file], steps: times.steps, seconds: seconds).write()
        return 0
    }

    private func configure() async throws {
        send(.started(step: "configure", activity: "configuring the tree"))
        for count in 1...34 {
            send(
                .log(step: "configure", line: "Setting up linux-image-\(count)-amd64 (6.12.48-1) …\u{1b}[31m 漢字 \u{7}"))
            try await tick(.progress(step: "configure", done: UInt64(count), total: 34, unit: "packages"))
        }
        send(.warning(step: "configure", message: "the package cloud-init has no data source for this platform"))
        send(.finished(step: "configure", outcome: .succeeded, seconds: 3.4))
    }

    private func disk() async throws {
        send(.started(step: "disk", activity: "making the disk"))
        for count in 1...50 {
            send(
                .log(
                    step: "disk",
                    line: "mke2fs: copying /usr/share/doc/package-\(count)/changelog.Debian.gz into the image"))
            try await tick(.progress(step: "disk", done: UInt64(count) * 1_234_567, total: 61_728_350, unit: nil))
        }
        send(.finished(step: "disk", outcome: .succeeded, seconds: 5.0))
    }

    private func failed() -> Int32 {
        for line in 1...25 { send(.log(step: "qcow2", line: "block \(line)")) }
        send(.log(step: "qcow2", line: "qemu-img: error while writing at byte 1073741824: No space left on device"))
        send(.finished(step: "qcow2", outcome: .failed, seconds: 3.1))
        renderer.finish()
        let error = FactoryError(
            .failed, "qemu-img ended with status 1", remedy: "Free space in /var/tmp, or set TMPDIR to another folder.",
            activity: "writing web-1.0.qcow2", log: "/var/lib/image-factory/failed/ab12/log.txt")
        FailureReport(error, tail: tail.failed).write()
        return FailureReport.status(of: error)
    }

    private func tick(_ kind: BuildEvent.Kind) async throws {
        send(kind)
        try await Task.sleep(for: .milliseconds(100))
    }

    private func send(_ kind: BuildEvent.Kind) {
        number += 1
        let event = BuildEvent(number: number, time: clock.now(), kind: kind)
        for consumer in [renderer, tail, times] as [any EventRenderer] { consumer.consume(event) }
    }
}
