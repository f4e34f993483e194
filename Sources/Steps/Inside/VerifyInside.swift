import DiskFormats
import Glibc
import Model
import SystemPackage
import Tooling
import Verify

/// Applies the rules to a disk inside a containment: what traps there ends this process and nothing else.
package struct VerifyInside: Codable, Sendable {
    var policy: VerifyPolicy
    var traces: VerifyTraces
    /// What is wrong with the file that the disk came from.
    var container: [String]
    var hasSecrets: Bool

    static let disk: FilePath = "/mnt/disk.raw"
    static let report = "verify.json"

    func run(runner: any CommandRunning) async throws {
        let secrets = hasSecrets ? try SecretFile.read() : []
        do {
            async let checks = filesystemChecks(runner)
            let (policy, traces, container) = (policy, traces, container)
            var report = try await BlockingWork.run { _ in
                let facts = VerifyFacts(
                    container: container,
                    secrets: secrets.map { VerifyFacts.Secret(name: $0.name, value: Array($0.value.utf8)) })
                return try Verification(Self.disk, policy: policy, traces: traces, facts: facts).run()
            }
            report.add(Verification.findings(ofChecks: try await checks, policy))
            try WholeFile.write(try Canonical.text(report), FilePath("/mnt/out").appending(Self.report))
        } catch let error as NotVerifiable {
            throw FactoryError(
                .definition, "the image cannot be verified: \(error.reason)",
                remedy: "give a disk image with a Linux system on ext4")
        } catch let error as FileAccessError {
            throw FactoryError(.inputOutput, "the image cannot be read: \(error)")
        }
    }

    /// What e2fsck says of each filesystem, which it does not change.
    private func filesystemChecks(_ runner: any CommandRunning) async throws -> [UInt64: [String]] {
        var checks: [UInt64: [String]] = [:]
        for offset in try Verification.filesystems(on: Self.disk) {
            let command = Command(
                "e2fsck", ["-f", "-n", "\(Self.disk)?offset=\(offset)"], timeout: .seconds(600))
            let result = try await runner.run(command)
            checks[offset] = result.succeeded ? [] : Self.complaints(result)
        }
        return checks
    }

    /// The lines that say what is wrong: neither titles nor questions with their answers.
    static func complaints(_ result: CommandResult) -> [String] {
        let lines = result.text.split(whereSeparator: \.isNewline).map(String.init).filter { line in
            !line.isEmpty && !line.hasPrefix("Pass ") && !line.hasPrefix("e2fsck ")
        }
        return lines.isEmpty ? ["e2fsck ended with \(result.ending)"] : Array(lines.prefix(5))
    }
}

/// A secret on its way to where it is used: in a file of mode 0600 for contained processes, never in a plan or a log.
package struct SecretValue: Codable, Sendable, Hashable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
