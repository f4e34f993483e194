package import Model
package import SystemPackage

/// Applies the rules to a raw disk.
package struct Verification {
    private let rules: [Rule]
    private let inspection: Inspection

    /// The most findings of one rule: what is broken everywhere need not be told everywhere.
    private static let mostFindings = 50

    /// Throws `NotVerifiable` if there is no system on the disk.
    package init(
        _ disk: FilePath, policy: VerifyPolicy, traces: VerifyTraces = VerifyTraces(),
        facts: VerifyFacts = VerifyFacts(), rules: [Rule] = Rule.all
    ) throws {
        inspection = try Inspection(disk, policy: policy, traces: traces, facts: facts)
        let isDebian = inspection.isDebian
        self.rules = rules.filter { $0.family == .every || isDebian }
    }

    /// All that the rules find, with the waivers of the policy. Blocks its thread.
    package func run() throws -> VerifyReport {
        var findings: [VerifyFinding] = []
        for rule in rules { findings += try apply(rule) }
        let policy = inspection.policy
        var report = VerifyReport(
            rules: rules.map(\.id), isStrict: policy.isStrict, isAdvisory: policy.isAdvisory, findings: [])
        report.add(findings)
        return report
    }

    private func apply(_ rule: Rule) throws -> [VerifyFinding] {
        let waiver = rule.mayBeWaived ? inspection.policy.waivers.first { $0.rule == rule.id }?.reason : nil
        var findings: [VerifyFinding] = []
        for check in rule.checks {
            for observation in try check.find(inspection) {
                let finding = VerifyFinding(
                    rule: rule.id, verdict: check.verdict ?? rule.verdict, path: observation.path,
                    message: observation.message, evidence: observation.evidence.map(Self.mark), hint: rule.hint,
                    waiver: waiver)
                if !findings.contains(finding) { findings.append(finding) }
                if findings.count >= Self.mostFindings { return findings }
            }
        }
        return findings
    }

    /// Enough of a digest to know the same thing again, too little to find it by.
    private static func mark(_ bytes: [UInt8]) -> String { "sha256:" + Digest(of: bytes).hex.prefix(12) }
}

extension Verification {
    /// The bytes of a disk at which filesystems begin that the rules look at.
    package static func filesystems(on disk: FilePath) throws -> [UInt64] {
        try Inspection.filesystemOffsets(disk)
    }

    /// The findings of a check of the filesystems that was made beside the rules.
    package static func findings(ofChecks checks: [UInt64: [String]], _ policy: VerifyPolicy) -> [VerifyFinding] {
        guard let rule = Rule.named("H-52") else { return [] }
        return checks.sorted { $0.key < $1.key }.flatMap { offset, lines in
            lines.map { line in
                VerifyFinding(
                    rule: rule.id, verdict: rule.verdict, path: "filesystem at byte \(offset)", message: line,
                    hint: rule.hint, waiver: policy.waivers.first { $0.rule == rule.id }?.reason)
            }
        }
    }
}

extension VerifyReport {
    /// Adds findings, in their places.
    package mutating func add(_ more: [VerifyFinding]) {
        findings += more
        findings.sort { ($0.rule, $0.path, $0.message) < ($1.rule, $1.path, $1.message) }
    }
}
