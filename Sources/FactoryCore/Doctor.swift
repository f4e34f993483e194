import Glibc
import Model
import Steps
import Store
import SystemPackage
import Tooling

/// One finding about this machine.
package struct DoctorFinding: Sendable, Codable {
    package enum State: String, Sendable, Codable {
        case good
        case warning
        case bad
    }

    package var subject: String
    package var state: State
    package var detail: String
    package var remedy: String?
}

extension Factory {
    /// Whether this machine has what builds need, and which accelerator virtual machines get and why.
    package func doctor() async throws -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        for tool in Tool.allCases { findings.append(await finding(of: tool)) }
        findings.append(await namespaces())
        findings.append(space())
        findings.append(await accelerator())
        return findings
    }

    private func finding(of tool: Tool) async -> DoctorFinding {
        guard let path = tools.paths(of: tool).first else {
            return DoctorFinding(
                subject: tool.rawValue, state: tool.isOptional ? .warning : .bad, detail: "missing; \(tool.purpose)",
                remedy: "apt-get install \(tool.package)")
        }
        let version = (try? await tools.version(of: tool)) ?? "unknown"
        return DoctorFinding(subject: tool.rawValue, state: .good, detail: "\(version) at \(path); \(tool.purpose)")
    }

    /// Tried for real: a containment with a range of ids, and a file of another id in it.
    private func namespaces() async -> DoctorFinding {
        let containment = Containment(identities: .range, network: .none, workSize: .mebi(1))
        do {
            let result = try await runner.run(
                Command("chown", ["1000:1000", "/mnt/tmp"], containment: containment, timeout: .seconds(10)))
            guard result.succeeded else {
                return DoctorFinding(
                    subject: "user namespaces", state: .bad, detail: result.reason ?? "\(result.ending)",
                    remedy: "allow them: sysctl kernel.unprivileged_userns_clone=1")
            }
            return DoctorFinding(
                subject: "user namespaces", state: .good, detail: "with a range of ids, for trees with several owners")
        } catch let error as FactoryError {
            return DoctorFinding(
                subject: "user namespaces", state: .bad, detail: error.message, remedy: error.remedy)
        } catch {
            return DoctorFinding(subject: "user namespaces", state: .bad, detail: "\(error)")
        }
    }

    private func space() -> DoctorFinding {
        var at = store
        while SpaceCheck.free(at) == nil, !at.isEmpty, at != "/" { at = at.removingLastComponent() }
        let free = SpaceCheck.free(at) ?? ByteCount(0)
        let enough = free >= SpaceCheck.least
        return DoctorFinding(
            subject: "free space", state: enough ? .good : .bad, detail: "\(free) for the store \(store)",
            remedy: enough ? nil : "free some space, run 'image-factory prune', or set XDG_CACHE_HOME")
    }
}
