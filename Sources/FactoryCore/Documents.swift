import Engine
import Model
import Records
import Steps
import Store
import SystemPackage

/// A step's result that becomes a file of the output folder.
struct FinishedArtifact: Sendable {
    let source: FilePath
    let record: DigestRecord
    let artifact: Artifact

    init(_ planned: PlannedArtifact, _ results: [String: StepResult]) throws {
        guard let source = results[planned.source.step]?.folder.appending(planned.source.file),
            let digest = results[planned.digestStep]?.folder.appending("digest.json")
        else { throw FactoryError(.internal, "the plan makes no \(planned.file)") }
        self.source = source
        record = try Canonical.decode(DigestRecord.self, from: try DurableFile.read(digest))
        artifact = Artifact(
            file: planned.file, format: planned.format, size: record.size, allocated: record.allocated,
            digest: record.digest)
    }
}

/// A text that is published beside artifacts.
struct Document: Sendable {
    /// How the manifest names it.
    struct Record: Codable {
        var file: String
        var digest: Digest
    }

    let name: String
    let text: String

    var digest: Digest { Digest(of: Array(text.utf8)) }

    var record: Record { Record(file: name, digest: digest) }

    /// How other documents name it.
    var file: ImageRecord.File { ImageRecord.File(name: name, digest: digest) }

    /// The file and its signature.
    var names: [String] { [name, Signer.name(of: name)] }
}

/// What is published beside the artifacts of a build.
struct Documents: Sendable {
    /// Of an image whose packages were chosen before it was made.
    let lock: Document?
    let sbom: Document?
    let provenance: Document
    let manifest: Document

    /// In the order in which they are written: the manifest names the others.
    var all: [Document] { [lock, sbom, provenance, manifest].compactMap(\.self) }

    init(
        _ prepared: PreparedBuild, _ results: [String: StepResult], _ artifacts: [Artifact],
        _ steps: [BuildReport.StepTime], _ request: BuildRequest
    ) throws {
        let name = "\(prepared.plan.name)-\(prepared.plan.version)"
        let lock = try prepared.lock.map { Document(name: name + ".lock", text: try $0.text()) }
        let record = try ImageRecord(prepared, results, artifacts, request, lock: lock?.file)
        // What an installer has chosen is known to nobody.
        let sbom = try lock.map { _ in
            Document(name: name + ".sbom.spdx.json", text: try BillOfMaterials.text(record))
        }
        self.lock = lock
        self.sbom = sbom
        provenance = Document(
            name: name + ".provenance.json", text: try Provenance.text(record, bill: sbom?.file))
        let manifest = try Manifest(
            prepared, results, artifacts, steps, lock: lock, sbom: sbom, provenance: provenance)
        self.manifest = Document(
            name: name + ".manifest.json", text: SelfDigest.seal(try Canonical.text(manifest)))
    }
}
