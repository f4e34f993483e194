import Testing

@testable import Commands

@Suite struct LiveScreenTests {
    private let wrapped = { (text: String) in "\u{1b}[?7l\(text)\u{1b}[?7h\u{1b}[J" }

    @Test func `An area is drawn over the last one`() {
        var screen = LiveScreen()
        #expect(
            screen.update(permanent: [], frame: ["a", "b"], columns: 80) == "\r" + wrapped("\u{1b}[Ka\n\u{1b}[Kb\n"))
        #expect(screen.update(permanent: [], frame: ["c"], columns: 80) == "\r\u{1b}[2A" + wrapped("\u{1b}[Kc\n"))
    }

    @Test func `Permanent lines take the place of the area, which moves down`() {
        var screen = LiveScreen()
        _ = screen.update(permanent: [], frame: ["a"], columns: 80)
        let text = screen.update(permanent: ["done"], frame: ["a"], columns: 80)
        #expect(text == "\r\u{1b}[1A\u{1b}[Jdone\n" + wrapped("\u{1b}[Ka\n"))
    }

    @Test func `What did not change is not written`() {
        var screen = LiveScreen()
        #expect(screen.update(permanent: [], frame: [], columns: 80).isEmpty == false)
        #expect(screen.update(permanent: [], frame: [], columns: 80) == "")
    }

    @Test func `A terminal that got narrower has wrapped the last area`() {
        var screen = LiveScreen()
        let line = String(repeating: "x", count: 70)
        _ = screen.update(permanent: [], frame: ["\u{1b}[1m\(line)\u{1b}[0m", "b"], columns: 80)
        #expect(screen.update(permanent: [], frame: ["c"], columns: 30).hasPrefix("\r\u{1b}[4A"))
    }
}
