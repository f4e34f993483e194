import Glibc
import Model
import Testing

@testable import Commands

@Suite(.serialized) struct LiveRendererTests {
    private static let clock = WallClock { EventMaker.epoch + 5 }

    /// The two ends of a terminal of our own (pty(7); the numbers are TIOCSPTLCK and TIOCGPTN of asm-generic/ioctls.h).
    private func withTerminal(
        columns: UInt16, _ body: (_ terminal: Int32, _ screen: Int32) async throws -> Void
    ) async throws {
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        var lock: Int32 = 0
        var number: UInt32 = 0
        let screen = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        try #require(screen >= 0)
        defer { close(screen) }
        try #require(ioctl(screen, 0x4004_5431, &lock) == 0 && ioctl(screen, 0x8004_5430, &number) == 0)
        let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(terminal >= 0)
        defer { close(terminal) }
        _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
        try await body(terminal, screen)
    }

    /// What can be read at once.
    private func read(_ screen: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(screen, &bytes, bytes.count)
            guard count > 0 else { return all }
            all += bytes.prefix(count)
        }
    }

    /// What comes until the text is there, five seconds at most.
    private func read(_ screen: Int32, until text: String) async throws -> String {
        var all: [UInt8] = []
        for _ in 0..<1000 {
            let new = read(screen)
            // Searching everything again and again would take longer than the drawing.
            let recent = all.suffix(text.utf8.count) + new
            all += new
            if String(decoding: recent, as: UTF8.self).contains(text) { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        return String(decoding: all, as: UTF8.self)
    }

    @Test func `The cursor is hidden while steps run and shown at the end`() async throws {
        try await withTerminal(columns: 80) { terminal, screen in
            let renderer = LiveRenderer(
                traits: .unicode, verbosity: .normal, clock: Self.clock, descriptor: terminal)
            for event in EventMaker.events([(0, EventMaker.plan), (1, .started(step: "disk", activity: "making"))]) {
                renderer.consume(event)
            }
            let drawn = try await read(screen, until: "making")
            #expect(drawn.contains("\u{1b}[?25l"))
            renderer.finish()
            renderer.finish()
            let rest = String(decoding: read(screen), as: UTF8.self)
            #expect(rest.contains("– disk       making the disk"))
            #expect(rest.hasSuffix("\u{1b}[J\u{1b}[?7h\u{1b}[?25h"))
        }
    }

    @Test func `A terminal that gets narrower gets narrower lines`() async throws {
        try await withTerminal(columns: 80) { terminal, screen in
            let renderer = LiveRenderer(
                traits: .unicode, verbosity: .normal, clock: Self.clock, descriptor: terminal)
            defer { renderer.finish() }
            for event in EventMaker.events([(0, .started(step: "disk", activity: "making"))]) {
                renderer.consume(event)
            }
            _ = try await read(screen, until: "0/1 steps")
            var size = winsize(ws_row: 24, ws_col: 40, ws_xpixel: 0, ws_ypixel: 0)
            _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
            let line = "  0/1 steps                          5 s"
            #expect(try await read(screen, until: line).contains(line))
        }
    }

    @Test func `Quietly the cursor stays, and a failure is shown`() async throws {
        try await withTerminal(columns: 80) { terminal, screen in
            let renderer = LiveRenderer(traits: .unicode, verbosity: .quiet, clock: Self.clock, descriptor: terminal)
            let kinds: [(Double, BuildEvent.Kind)] = [
                (0, EventMaker.plan), (1, .started(step: "disk", activity: "making")),
                (2, .finished(step: "disk", outcome: .failed, seconds: 1)),
            ]
            for event in EventMaker.events(kinds) { renderer.consume(event) }
            renderer.finish()
            let drawn = String(decoding: read(screen), as: UTF8.self)
            #expect(drawn.contains("✗ disk"))
            #expect(!drawn.contains("?25l"))
        }
    }

    @Test func `A terminal that takes nothing does not hold up the build`() async throws {
        try await withTerminal(columns: 80) { terminal, screen in
            let renderer = LiveRenderer(traits: .unicode, verbosity: .verbose, clock: Self.clock, descriptor: terminal)
            var maker = EventMaker()
            let line = String(repeating: "x", count: 100)
            let time = ContinuousClock().measure {
                for _ in 0..<20_000 { renderer.consume(maker.at(1, .log(step: "disk", line: line))) }
            }
            #expect(time < .seconds(20))
            let finishing = BackgroundThread { renderer.finish() }
            let drawn = try await read(screen, until: "lines not shown")
            #expect(drawn.contains("lines not shown"))
            finishing?.join()
        }
    }
}
