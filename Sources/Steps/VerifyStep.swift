import Engine
import Glibc
import Model
import SystemPackage
import Tooling
import Verify

/// Applies the rules of sound images to a finished disk. What they forbid ends the build.
struct VerifyStep {
    let policy: VerifyPolicy
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let verification = DiskVerification(runner: environment.runner, executable: environment.executable)
        let request = DiskVerification.Request(
            policy: policy, traces: environment.traces,
            secrets: try environment.secrets(named: policy.secrets))
        let disk = try context.input("disk")
        let report = try await verification.run(
            request, disk: disk, output: context.output, scratch: context.scratch
        ) { context.report.log($0) }
        for finding in report.findings {
            if finding.waiver == nil {
                context.report.warn(finding.line)
            } else {
                context.report.log(finding.line)
            }
        }
        try Self.refuse(report)
    }

    /// Throws if there are violations; each was told before.
    static func refuse(_ report: VerifyReport) throws {
        let violations = report.violations
        guard let first = violations.first else { return }
        let others = violations.count > 1 ? ", and \(violations.count - 1) more" : ""
        throw FactoryError(
            .failed, "the image must not be published: \(first.rule) \(first.path): \(first.message)\(others)",
            remedy: "\(first.hint); or waive the rule with a reason under verify: waivers")
    }
}

extension VerifyFinding {
    /// For people: the rule, where, what, and what to do about it.
    package var line: String {
        let reason = waiver.map { " (waived: \($0))" } ?? ""
        return "\(rule) \(path): \(message)\(reason); \(hint)"
    }
}
