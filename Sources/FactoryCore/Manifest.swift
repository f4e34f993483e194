import Engine
import Model
import Planning
import Steps
import Store
import SystemPackage

/// `NAME-VERSION.manifest.json`: what a build was made of and what it made. The file ends with its own digest
/// (`SelfDigest`).
struct Manifest: Codable {
    struct ToolVersion: Codable {
        var name: String
        var version: String
    }

    struct BootRecord: Codable {
        var firmware: String
        var seconds: Double
        var accelerator: String
        var seen: String
    }

    var format = 1
    var name: String
    var version: String
    /// Of image-factory.
    var builder: String
    /// Of the definition as lowered to the model, and of the whole plan.
    var definition: Digest
    var plan: Digest
    var releases: [SuiteRelease]
    var steps: [BuildReport.StepTime]
    var tools: [ToolVersion]
    var packages: [InstalledPackage]
    var disk: DiskRecord?
    /// What an installation and the removal of its traces tell of themselves; nil for images made of packages.
    var install: JSONValue?
    var seal: JSONValue?
    /// What setting an image up by cloud-init and resetting it tell of themselves; nil where that was not asked for.
    var setup: JSONValue?
    var reset: JSONValue?
    var boots: [BootRecord]
    /// What the rules of sound images found, waivers with their reasons.
    var verify: VerifyReport?
    var files: [Artifact]
    /// What `--locked` needs to build the same again.
    var lock: Document.Record?
    var sbom: Document.Record?
    var provenance: Document.Record

    init(
        _ prepared: PreparedBuild, _ results: [String: StepResult], _ artifacts: [Artifact],
        _ steps: [BuildReport.StepTime], lock: Document?, sbom: Document?, provenance: Document
    ) throws {
        let plan = prepared.plan
        func read<Value: Decodable>(_ type: Value.Type, _ step: String, _ file: String) throws -> Value? {
            guard let folder = results[step]?.folder else { return nil }
            return try StoredFile.json(type, folder.appending(file))
        }
        name = plan.name
        version = plan.version
        builder = ImageFactoryVersion.current
        definition = plan.definition
        self.plan = try Canonical.digest(plan)
        releases = plan.steps.compactMap { step -> [SuiteRelease]? in
            guard case .bootstrap(let action) = step.action else { return nil }
            return action.releases
        }.flatMap { $0 }
        self.steps = steps
        tools = prepared.tools.sorted { $0.key < $1.key }.map { ToolVersion(name: $0.key, version: $0.value) }
        packages = try read([InstalledPackage].self, "configure", "packages.json") ?? []
        // The bill of materials has the rest.
        packages = packages.map {
            InstalledPackage(name: $0.name, version: $0.version, architecture: $0.architecture)
        }
        disk = try read(DiskRecord.self, "assemble", "layout.json")
        install = try read(JSONValue.self, "install", "install.json")
        seal = try read(JSONValue.self, "seal", "seal.json")
        setup = try read(JSONValue.self, Planner.setupStep, "cloud-init.json")
        reset = try read(JSONValue.self, Planner.resetStep, "reset.json")
        boots = try ["bios", "uefi"].compactMap { firmware in
            try read(BootCheckRecord.self, "boot-" + firmware, "boot.json").map {
                BootRecord(firmware: firmware, seconds: $0.seconds, accelerator: $0.accelerator, seen: $0.seen)
            }
        }
        verify = try read(VerifyReport.self, "verify", "verify.json")
        files = artifacts
        self.lock = lock?.record
        self.sbom = sbom?.record
        self.provenance = provenance.record
    }
}
