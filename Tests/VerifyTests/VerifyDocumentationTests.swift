import Model
import SystemPackage
import TestSupport
import Testing

@testable import Verify

/// The table of rules in docs/verify.md is made from the rules.
@Suite struct VerifyDocumentationTests {
    private static let mark = "<!-- Made from the rules"

    @Test func `The documentation has every rule as it is applied`() throws {
        let path = RepositoryFiles.root.appending("docs").appending("verify.md")
        let text = try Scratch.read(path)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let mark = try #require(lines.firstIndex { $0.hasPrefix(Self.mark) })
        let expected = lines[...mark].joined(separator: "\n") + "\n\n" + Self.table()
        if Golden.isUpdating { try Scratch.write(expected, path) }
        #expect(try Scratch.read(path) == expected)
    }

    private static func table() -> String {
        var text = "| rule | | what must hold | why | what to do |\n|---|---|---|---|---|\n"
        for rule in Rule.all {
            let verdict = rule.verdict.rawValue + (rule.mayBeWaived ? "" : ", never waived")
            let family = rule.family == .debian ? " Debian and Ubuntu." : ""
            text += "| \(rule.id) | \(verdict) | \(rule.demand)\(family) | \(rule.reason) | \(rule.hint) |\n"
        }
        return text
    }
}
