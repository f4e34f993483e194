import Filesystems
import Model
import SystemPackage
import Testing

@testable import Verify

@Suite struct CleanImageTests {
    @Test func `A clean image breaks no rule`() async throws {
        try await CleanImage.withCopy { disk in
            let report = try Verification(disk, policy: CleanImage.policy).run()
            #expect(report.findings == [])
            #expect(report.rules.count >= 40)
        }
    }

    @Test func `Rules have ids of their own, and say why and what to do`() {
        let rules = Rule.all
        #expect(Set(rules.map(\.id)).count == rules.count)
        for rule in rules {
            #expect(rule.id.wholeMatch(of: /H-\d\d/) != nil)
            #expect(!rule.checks.isEmpty)
            #expect(rule.demand.hasSuffix(".") && rule.reason.hasSuffix(".") && !rule.hint.isEmpty)
        }
    }
}
