import DiskFormats
import Glibc
package import Model
import Steps
import Store
package import SystemPackage
import Tooling
import Verify

extension Factory {
    /// Applies the rules of sound images to an image file of any format, which need not have been built here. The file
    /// is not changed; its header is looked at before any tool opens it.
    ///
    /// Throws `FactoryError` with the code `definition` if it is no image that can be verified.
    package func verify(
        _ image: FilePath, policy: VerifyPolicy, note: @escaping @Sendable (String) -> Void
    ) async throws -> VerifyReport {
        try VerifyRules.check(policy.waivers)
        let header = try await ImageInspection(runner: runner, executable: executable).header(of: image)
        let source = try ImageSource(image, header)
        let opened = try await openStore()
        let scratch = opened.root.appending("work").appending(UniqueName.make())
        try Folder.make(scratch)
        // The lock tells that this folder is in use; without it the next start removes it.
        let alive = try FileLock.attempt(scratch.appending("lock"))
        defer { _ = alive }
        do {
            let report = try await verify(source, policy, in: scratch, note)
            await opened.remove(scratch)
            return report
        } catch {
            await opened.remove(scratch)
            throw error
        }
    }

    private func verify(
        _ source: ImageSource, _ policy: VerifyPolicy, in scratch: FilePath,
        _ note: @escaping @Sendable (String) -> Void
    ) async throws -> VerifyReport {
        let (place, output) = (scratch.appending("scratch"), scratch.appending("out"))
        try Folder.make(place)
        try Folder.make(output)
        let disk = source.driver == "raw" ? source.path : try await raw(source, in: place, note)
        return try await DiskVerification(runner: runner, executable: executable).run(
            .init(policy: policy, container: source.problems), disk: disk, output: output, scratch: place, log: note)
    }

    private func raw(
        _ source: ImageSource, in place: FilePath, _ note: @escaping @Sendable (String) -> Void
    ) async throws -> FilePath {
        let folder = place.appending("raw")
        try Folder.make(folder)
        return try await rawCopy(of: source.path, driver: source.driver, in: folder, purpose: "verified", note)
    }
}

/// An image file whose header was looked at.
private struct ImageSource {
    let path: FilePath
    /// QEMU's name of the format.
    let driver: String
    /// What is wrong with the file that does not keep it from being read.
    let problems: [String]

    init(_ path: FilePath, _ header: HeaderReport) throws {
        guard let driver = header.driver else {
            throw FactoryError(
                .definition, "the image \(path) is not a disk image", remedy: "unpack it if it is compressed")
        }
        let problems = Self.problems(of: header)
        // Whatever else there is about it is a reason not to open it.
        if let hazard = header.hazards.first(where: { !problems.contains($0) }) {
            throw FactoryError(
                .definition, "the image \(path) is not safe to open: \(hazard)",
                remedy: "convert it to a plain qcow2 or raw image where it comes from")
        }
        self.path = path
        self.driver = driver
        self.problems = problems
    }

    /// Hazards that are findings of the rule on containers, for they do not lead out of the file.
    private static func problems(of header: HeaderReport) -> [String] {
        switch header.format {
        case "qcow2":
            var problems = header.hazards.filter { hazard in
                ["internal snapshots", "marked corrupt", "not closed properly"].contains { hazard.contains($0) }
            }
            if header.details.contains("version 2") { problems.append("it is a qcow2 of the older kind, compat=0.10") }
            return problems
        case "raw" where header.virtualSize?.bytes != 0: return header.hazards
        default: return []
        }
    }
}

/// Ids of rules in waivers.
package enum VerifyRules {
    /// Throws a usage error for the first waiver that no rule allows.
    static func check(_ waivers: [VerifyPolicy.Waiver]) throws {
        for waiver in waivers {
            if let problem = problem(with: waiver.rule) { throw FactoryError(.usage, problem) }
        }
    }

    /// Why a rule cannot be waived: there is none of that id, or it is one that nothing excuses.
    package static func problem(with id: String) -> String? {
        guard let rule = Rule.named(id) else {
            let near = NearestName.to(id, among: Rule.all.map(\.id)).map { "; did you mean '\($0)'?" }
            return "unknown rule '\(id)'" + (near ?? "; docs/verify.md has them all")
        }
        return rule.mayBeWaived ? nil : "the rule \(id) cannot be waived: \(rule.reason)"
    }
}
