import Testing

@testable import Tooling

@Suite struct LineSplitterTests {
    private func lines(_ chunks: [String]) -> [String] {
        var splitter = LineSplitter()
        return chunks.flatMap { splitter.append(Array($0.utf8)) } + [splitter.finish()].compactMap { $0 }
    }

    @Test(
        arguments: [
            (["a\nb\n"], ["a", "b"]),
            (["a\n\nb"], ["a", "", "b"]),
            (["a\r\nb\r\n"], ["a", "b"]),
            (["a\r", "\nb"], ["a", "b"]),
            (["a\r\n\r\nb"], ["a", "", "b"]),
            (["10%\r20%\r\r\n"], ["10%", "20%"]),
            (["ä", "ö\n"], ["äö"]),
            ([""], []),
        ])
    func `Output is cut at line ends, wherever its chunks end`(chunks: [String], expected: [String]) {
        #expect(lines(chunks) == expected)
    }

    @Test func `A character that two chunks share stays whole`() {
        var splitter = LineSplitter()
        let bytes = Array("ä\n".utf8)
        #expect(splitter.append(bytes[..<1]) + splitter.append(bytes[1...]) == ["ä"])
    }

    @Test func `Control characters become visible, colours go, tabs stay`() {
        #expect(
            lines(["\u{1b}[1;31mred\u{1b}[0m\tx\u{7}y\u{1b}]0;title\u{9b}\u{0}\n"]) == [
                "red\tx\\x07y\\x1B]0;title\\x9B\\x00"
            ])
    }

    @Test func `A line is cut after 8 KiB`() {
        let result = lines([String(repeating: "x", count: 9000) + "\nnext\n"])
        #expect(result.map(\.count) == [8193, 4])
        #expect(result.first?.last == "…")
    }
}
