import Glibc
import Model
import Records
import Store
import SystemPackage

/// A document beside an image as it is read: bytes that anybody may have written.
struct InspectedDocument<Content: Decodable & Sendable>: Sendable {
    var file: InspectedFile
    var bytes: [UInt8] = []
    /// Nil if it is not there or cannot be understood.
    var content: Content?
    var isThere = false

    /// No file beside an image is larger.
    private static var largest: Int { 64 << 20 }

    init(_ name: String, _ kind: InspectedFile.Kind, in folder: FilePath) {
        file = InspectedFile(name, kind)
        let path = folder.appending(name)
        var facts = stat()
        guard stat(path.string, &facts) == 0 else {
            if errno != ENOENT { file.problems.append("it cannot be read: \(Errno(rawValue: errno))") }
            return
        }
        isThere = true
        guard facts.st_mode & S_IFMT == S_IFREG, facts.st_size <= Self.largest else {
            file.problems.append("it is not a file of a size that such a file has")
            return
        }
        do {
            bytes = try DurableFile.read(path)
        } catch {
            file.problems.append("it cannot be read: \(error)")
            return
        }
        file.size = ByteCount(UInt64(bytes.count))
        file.digest = Digest(of: bytes)
        do {
            content = try Canonical.decode(Content.self, from: bytes)
        } catch {
            file.problems.append("it is damaged: its content cannot be understood")
        }
    }
}

/// What is looked at in a manifest: members that a later version adds do no harm.
struct ManifestContent: Decodable, Sendable {
    struct ToolVersion: Decodable {
        var name: String
        var version: String
    }

    struct Named: Decodable {
        var file: String
        var digest: Digest
    }

    var name: String
    var version: String
    var builder: String
    var definition: Digest
    var plan: Digest
    var steps: [BuildReport.StepTime]
    var tools: [ToolVersion]
    var packages: [InstalledPackage]
    var boots: [BuildFacts.Boot]
    var verify: VerifyReport?
    var files: [Named]
    var lock: Named?
    var sbom: Named?
    var provenance: Named

    func facts(_ tree: JSONTree?) -> BuildFacts {
        let known: Set = [
            "format", "name", "version", "builder", "definition", "plan", "releases", "steps", "tools", "packages",
            "boots", "files", "lock", "sbom", "provenance", "disk", "sha256",
        ]
        var further: [String: String] = [:]
        if case .object(let members)? = tree {
            for (key, value) in members where !known.contains(key) { further[key] = value.summary }
        }
        if let verify { further["verify"] = verify.summary }
        return BuildFacts(
            name: name, version: version, builder: builder, definition: definition, plan: plan,
            packages: packages.count, steps: steps, boots: boots,
            tools: Dictionary(tools.map { ($0.name, $0.version) }) { first, _ in first }, further: further)
    }
}

extension VerifyReport {
    /// In a few words, for a person.
    fileprivate var summary: String {
        let waived = findings.count { $0.waiver != nil }
        let others = [(violations.count, "violations"), (findings.count - waived - violations.count, "warnings")]
        let counts = (others + [(waived, "waived")]).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "\(rules.count) rules: " + (counts.isEmpty ? "nothing found" : counts.joined(separator: ", "))
    }
}

extension JSONTree {
    /// In a few words, for a person.
    fileprivate var summary: String {
        switch self {
        case .leaf(let text): text.count > 80 ? text.prefix(79) + "…" : text
        case .array(let list): list.isEmpty ? "none" : "\(list.count)"
        case .object(let members):
            members.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.short)" }
                .joined(separator: ", ")
        }
    }
}

/// What is looked at in a bill of materials.
struct BillContent: Decodable, Sendable {
    private struct Package: Decodable {
        struct Checksum: Decodable {
            var algorithm: String
            var checksumValue: String
        }

        var SPDXID: String
        var packageFileName: String?
        var checksums: [Checksum]?
    }

    private enum Key: String, CodingKey { case packages }

    /// The digests of artifacts by file name.
    var artifacts: [String: String] = [:]
    var packages = 0

    init(from decoder: any Decoder) throws {
        for package in try decoder.container(keyedBy: Key.self).decode([Package].self, forKey: .packages) {
            if package.SPDXID.hasPrefix("SPDXRef-Package-") { packages += 1 }
            guard package.SPDXID.hasPrefix("SPDXRef-Artifact-"), let file = package.packageFileName else { continue }
            artifacts[file] = package.checksums?.first { $0.algorithm == "SHA256" }?.checksumValue ?? ""
        }
    }
}

/// What is looked at in a provenance statement.
struct ProvenanceContent: Decodable, Sendable {
    struct Resource: Decodable {
        var name: String?
        var digest: [String: String]
    }

    private struct Predicate: Decodable {
        struct Run: Decodable {
            var byproducts: [Resource]?
        }

        var runDetails: Run
    }

    private enum Key: String, CodingKey { case type = "_type", subject, predicateType, predicate }

    /// The digests of artifacts, and those of by-products, by file name.
    var artifacts: [String: String] = [:]
    var byproducts: [String: String] = [:]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard try container.decode(String.self, forKey: .type) == Provenance.statementType,
            try container.decode(String.self, forKey: .predicateType) == Provenance.predicateType
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: container, debugDescription: "it is no provenance statement")
        }
        for subject in try container.decode([Resource].self, forKey: .subject) {
            if let name = subject.name { artifacts[name] = subject.digest["sha256"] ?? "" }
        }
        let run = try container.decode(Predicate.self, forKey: .predicate).runDetails
        for product in run.byproducts ?? [] {
            if let name = product.name { byproducts[name] = product.digest["sha256"] ?? "" }
        }
    }
}
