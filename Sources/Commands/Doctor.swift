import ArgumentParser
import FactoryCore
import Model

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell whether this machine has what builds need, and how virtual machines will run.")

    @Flag(help: "Print the findings as JSON.")
    var json = false

    func run() async throws {
        let json = json
        try await Session.run {
            let findings = try await Host.factory().doctor()
            try Session.tell(json ? try Canonical.text(findings) : Self.text(findings))
            guard !findings.contains(where: { $0.state == .bad }) else {
                throw FactoryError(
                    .unavailable, "this machine lacks something that builds need",
                    remedy: "follow the hints above; scripts/setup installs the missing programs")
            }
        }
    }

    private static func text(_ findings: [DoctorFinding]) -> String {
        let traits = TerminalTraits(descriptor: 1)
        let width = findings.map(\.subject.count).max() ?? 0
        return findings.map { finding in
            let mark =
                switch finding.state {
                case .good: traits.unicode ? "✓" : "ok"
                case .warning: "!"
                case .bad: traits.unicode ? "✗" : "XX"
                }
            let name = finding.subject + String(repeating: " ", count: width - finding.subject.count)
            let hint = finding.remedy.map { String(repeating: " ", count: width + 4) + "hint: \($0)\n" }
            return "\(mark) \(name)  \(finding.detail)\n" + (hint ?? "")
        }.joined()
    }
}
