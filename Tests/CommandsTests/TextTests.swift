import Testing

@testable import Commands

@Suite struct TextTests {
    @Test(arguments: [("abc", 3), ("é", 1), ("e\u{301}", 1), ("漢字", 4), ("🗂️", 2), ("😀", 2), ("✓…━⠋", 4), ("", 0)])
    func `Text has the width that terminals give it`(text: String, width: Int) {
        #expect(TextWidth.of(text) == width)
    }

    @Test func `A wide character is never cut in two`() {
        #expect(TextWidth.shorten("漢字漢字", columns: 6, ellipsis: "…") == "漢字…")
        #expect(TextWidth.shorten("abcdef", columns: 6, ellipsis: "…") == "abcdef")
        #expect(TextWidth.shorten("abcdef", columns: 2, ellipsis: "...") == "ab")
    }

    @Test(arguments: [
        ("a\u{1b}[1;31mb\u{1b}[0m", "ab"), ("a\u{1b}[", "a\\x1b["), ("\u{1b}", "\\x1b"), ("\u{202e}x", "\\u{202e}x"),
        ("\u{9b}2J", "\\x9b2J"), ("a\tb\u{7f}", "a b\\x7f"), ("\r\n", "\\x0d\\x0a"), ("naïve 漢", "naïve 漢"),
    ])
    func `What could steer a terminal is shown as text`(raw: String, shown: String) {
        #expect(Printable.line(raw) == shown)
    }

    @Test func `Without UTF-8 other characters are question marks`() {
        #expect(Printable.line("naïve …", unicode: false) == "na?ve ...")
    }

    @Test(arguments: [
        (0.04, "0.0 s"), (12.34, "12.3 s"), (59.96, "1 min 00 s"), (72, "1 min 12 s"), (7500, "2 h 05 min"),
        (-1, "0.0 s"), (.nan, "0.0 s"),
    ])
    func `Times are told in the unit that fits`(seconds: Double, text: String) {
        #expect(Elapsed.exact(seconds) == text)
    }

    @Test(arguments: [
        (Progress(done: 12_900_000, total: 47_200_000, unit: nil), "12.3/45.0 MiB"),
        (Progress(done: 512, total: 1000, unit: nil), "512/1000 B"),
        (Progress(done: 1 << 29, total: 1 << 30, unit: nil), "0.5/1.0 GiB"),
        (Progress(done: 120 << 20, total: 312 << 20, unit: nil), "120/312 MiB"),
        (Progress(done: 12_900_000, total: nil, unit: nil), "12.3 MiB"),
        (Progress(done: 12, total: 34, unit: "packages"), "12/34 packages"),
        (Progress(done: 12, total: nil, unit: "packages"), "12 packages"),
        (Progress(done: 999, total: 1000, unit: "%"), "99 %"),
        (Progress(done: 50, total: 0, unit: nil), "0/0 B"),
    ])
    func `Progress is told with its unit`(progress: Progress, text: String) {
        #expect(progress.text == text)
        #expect(TextWidth.of(progress.text) <= progress.widest)
    }

    @Test(arguments: [
        (["TERM": "xterm", "LANG": "en_US.UTF-8"], true, TerminalTraits.colored),
        (["TERM": "xterm", "LANG": "C"], true, TerminalTraits(canRedraw: true, unicode: false, color: true)),
        (["TERM": "xterm", "LANG": "C", "LC_ALL": "C.utf8", "NO_COLOR": "1"], true, .unicode),
        (["TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "POSIX", "NO_COLOR": "1"], true, .ascii),
        (["TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": ""], true, .colored),
        (["TERM": "dumb", "LANG": "C.UTF-8"], true, TerminalTraits(canRedraw: false, unicode: true, color: false)),
        (["TERM": "linux", "LANG": "C.UTF-8", "NO_COLOR": "1"], true, .ascii),
        (["TERM": "xterm", "LANG": "C"], false, TerminalTraits(canRedraw: false, unicode: true, color: false)),
    ])
    func `The environment says what a terminal can show`(
        environment: [String: String], isTerminal: Bool, traits: TerminalTraits
    ) {
        #expect(TerminalTraits(isTerminal: isTerminal) { environment[$0] } == traits)
    }
}
