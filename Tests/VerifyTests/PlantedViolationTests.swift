import Model
import SystemPackage
import Testing

@testable import Verify

@Suite struct PlantedViolationTests {
    @Test(arguments: Plant.all)
    func `A planted violation breaks its rule, and no other but its companions`(plant: Plant) async throws {
        try await CleanImage.withCopy { disk in
            try await Edit.apply(plant.edits, to: disk)
            let report = try Self.verification(plant, disk).run()
            #expect(
                Set(report.findings.map(\.rule)) == plant.companions.union([plant.rule]), "\(report.findings)")
        }
    }

    /// Each check is taken away in turn: if every violation is still found, nothing proves that the check works.
    @Test(arguments: Rule.all.map(\.id))
    func `Without one of its checks a rule misses a violation`(id: String) async throws {
        let rule = try #require(Rule.named(id))
        var proven: Set<Int> = []
        for plant in Plant.all where plant.rule == id {
            try await CleanImage.withCopy { disk in
                try await Edit.apply(plant.edits, to: disk)
                for at in rule.checks.indices {
                    var weaker = rule
                    weaker.checks.remove(at: at)
                    if try Self.verification(plant, disk, [weaker]).run().findings.isEmpty { proven.insert(at) }
                }
            }
        }
        #expect(proven == Set(rule.checks.indices))
    }

    @Test func `Findings show no content, only the beginning of its digest`() async throws {
        let plant = try #require(Plant.all.first { $0.what == "a secret" })
        try await CleanImage.withCopy { disk in
            try await Edit.apply(plant.edits, to: disk)
            let report = try Self.verification(plant, disk).run()
            let text = try Canonical.text(report)
            #expect(!text.contains("correct horse"))
            let digest = Digest(of: Array("correct horse battery".utf8)).hex.prefix(12)
            #expect(report.findings.map(\.evidence) == ["sha256:\(digest)"])
            #expect(report.findings.map(\.path) == ["/etc/motd"])
        }
    }

    @Test func `A waived rule is no violation, and stands in the report with its reason`() async throws {
        let plant = try #require(Plant.all.first { $0.rule == "H-36" })
        try await CleanImage.withCopy { disk in
            try await Edit.apply(plant.edits, to: disk)
            var policy = CleanImage.policy
            policy.waivers = [.init(rule: "H-36", reason: "a test")]
            let report = try Verification(disk, policy: policy).run()
            #expect(report.findings.map(\.waiver) == ["a test"])
            #expect(report.violations == [])
        }
    }

    @Test func `Host keys cannot be waived`() async throws {
        try await CleanImage.withCopy { disk in
            try await Edit.apply([.write("/etc/ssh/ssh_host_rsa_key", "x")], to: disk)
            var policy = CleanImage.policy
            policy.waivers = [.init(rule: "H-03", reason: "a test")]
            #expect(try Verification(disk, policy: policy).run().violations.map(\.rule) == ["H-03"])
        }
    }

    @Test func `A warning is a violation only where the check is strict`() async throws {
        try await CleanImage.withCopy { disk in
            try await Edit.apply([.write("/etc/hostname", "build\n")], to: disk)
            var policy = CleanImage.policy
            #expect(try Verification(disk, policy: policy).run().violations == [])
            policy.isStrict = true
            #expect(try Verification(disk, policy: policy).run().violations.map(\.rule) == ["H-24"])
        }
    }

    private static func verification(_ plant: Plant, _ disk: FilePath, _ rules: [Rule] = Rule.all) throws
        -> Verification
    {
        try Verification(disk, policy: plant.policy, traces: plant.traces, facts: plant.facts, rules: rules)
    }
}
