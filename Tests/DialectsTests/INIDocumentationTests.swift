import SystemPackage
import TestSupport
import Testing

@testable import Dialects

/// The tables of keys in docs/ini.md are made from the table of keys that are read.
@Suite struct INIDocumentationTests {
    private static let mark = "<!-- Made from INIKeys"

    @Test func `The documentation has every key`() throws {
        let path = RepositoryFiles.root.appending("docs").appending("ini.md")
        let lines = try Scratch.read(path).split(separator: "\n", omittingEmptySubsequences: false)
        let mark = try #require(lines.firstIndex { $0.hasPrefix(Self.mark) })
        let expected =
            lines[...mark].joined(separator: "\n") + "\n\n" + Self.table("an image", INIKeys.image) + "\n"
            + Self.table("a destination", INIKeys.destination)
        if Golden.isUpdating { try Scratch.write(expected, path) }
        #expect(try Scratch.read(path) == expected)
    }

    @Test func `Keys are in the order of their names, each once`() {
        for keys in [INIKeys.image, INIKeys.destination] {
            #expect(keys.map(\.name) == Set(keys.map(\.name)).sorted())
        }
    }

    private static func table(_ section: String, _ keys: [INIKey]) -> String {
        let rows = keys.map { "| `\($0.name)` | \($0.standard ?? "–") | \($0.summary) |\n" }
        return "| key of \(section) | without it | |\n|---|---|---|\n" + rows.joined()
    }
}
