import Glibc
import Model
import Records
import Steps
import Store
package import SystemPackage
import Tooling

extension Factory {
    /// Tells all that is known of an artifact, a file beside one, or the files of a folder, and compares what each says
    /// of the others. Nothing is changed, and no tool opens an image.
    ///
    /// Of an artifact, what is beside it is looked at as far as it is there; of anything else, what it names has to be
    /// there. With a public key, artifacts and manifests have to be signed by it. Throws only if the path cannot be
    /// read or the key is none: what does not fit stands in the result.
    package func inspect(_ path: FilePath, publicKey: String?) async throws -> Inspection {
        var facts = stat()
        guard stat(path.string, &facts) == 0 else {
            throw FactoryError(
                .missingInput, "cannot read \(path): \(Errno(rawValue: errno))", remedy: "check the path")
        }
        let signatures = try publicKey.map { try SignatureCheck(key: $0, runner: runner) }
        if signatures != nil { try tools.require(.minisign) }
        if facts.st_mode & S_IFMT == S_IFDIR {
            return try await inspect(folder: path, signatures)
        }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw FactoryError(.missingInput, "\(path) is neither a file nor a folder", remedy: "check the path")
        }
        var folder = path.removingLastComponent()
        if folder.isEmpty { folder = "." }
        let name = path.lastComponent?.string ?? ""
        // A file of a name that says nothing is looked at alone.
        let published = PublishedName(name)
        let isDocument = published.map { $0.kind != .artifact } ?? false
        let inspector = PublicationInspector(
            folder: folder, stem: published?.stem, artifact: isDocument ? nil : published?.file ?? name,
            signatures: signatures, headers: ImageInspection(runner: runner, executable: executable))
        return Inspection(publications: [try await inspector.inspect()])
    }

    private func inspect(folder: FilePath, _ signatures: SignatureCheck?) async throws -> Inspection {
        let names: [FilePath.Component]
        do {
            names = try Folder.list(folder)
        } catch {
            throw FactoryError(
                .missingInput, "cannot read the folder \(folder): \(error)", remedy: "check its mode")
        }
        // A lock alone is that of a definition.
        let published = names.compactMap { PublishedName($0.string) }.filter { $0.kind != .lock }
        let stems = Set(published.map(\.stem)).filter { !$0.hasPrefix(".") }
        guard !stems.isEmpty else {
            throw FactoryError(
                .missingInput, "there is no image in \(folder)", remedy: "give the folder that a build wrote to")
        }
        var publications: [InspectedPublication] = []
        for stem in stems.sorted() {
            let inspector = PublicationInspector(
                folder: folder, stem: stem, artifact: nil, signatures: signatures,
                headers: ImageInspection(runner: runner, executable: executable))
            publications.append(try await inspector.inspect())
        }
        return Inspection(publications: publications)
    }
}

/// Compares the files of one publication with each other.
struct PublicationInspector: Sendable {
    let folder: FilePath
    /// Nil for a file whose name says nothing.
    let stem: String?
    /// The only artifact to look at; nil: all that there should be, with all that should be beside them.
    let artifact: String?
    let signatures: SignatureCheck?
    let headers: ImageInspection

    func inspect() async throws -> InspectedPublication {
        guard let stem else {
            return InspectedPublication(
                name: artifact ?? "", build: nil, files: [try await artifact(artifact ?? "", .init())])
        }
        var manifest = InspectedDocument<ManifestContent>(stem + ".manifest.json", .manifest, in: folder)
        var bill = InspectedDocument<BillContent>(stem + ".sbom.spdx.json", .sbom, in: folder)
        var lock = InspectedDocument<PackageLock>(stem + ".lock", .lock, in: folder)
        var provenance = InspectedDocument<ProvenanceContent>(stem + ".provenance.json", .provenance, in: folder)
        if manifest.isThere, !manifest.bytes.isEmpty {
            let problem = SelfDigest.problem(manifest.bytes)
            manifest.file.compare("own digest", problem == nil, otherwise: problem ?? "")
            if manifest.content.map({ "\($0.name)-\($0.version)" != stem }) ?? false {
                manifest.file.problems.append("it is the manifest of another image")
            }
        }
        compare(&lock.file, with: manifest.content?.lock, isThere: lock.isThere)
        compare(&bill.file, with: manifest.content?.sbom, isThere: bill.isThere)
        compare(&provenance.file, with: manifest.content?.provenance, isThere: provenance.isThere)
        if let content = provenance.content, let digest = bill.file.digest {
            bill.file.compare(
                "provenance", content.byproducts[bill.file.file] == digest.hex,
                otherwise: "its digest is not the one in the provenance")
        }
        let claims = Claims(
            manifest: manifest.content.map { content in
                Dictionary(content.files.map { ($0.file, $0.digest.hex) }) { first, _ in first }
            }, bill: bill.content?.artifacts, provenance: provenance.content?.artifacts)
        var files: [InspectedFile] = []
        for name in try artifacts(claims, &manifest.file) { files.append(try await artifact(name, claims)) }
        if manifest.isThere { try await checkSignature(&manifest.file) }
        for document in [
            (manifest.file, manifest.isThere), (lock.file, lock.isThere), (bill.file, bill.isThere),
            (provenance.file, provenance.isThere),
        ] where document.1 || !document.0.problems.isEmpty { files.append(document.0) }
        let tree = try? Canonical.decode(JSONTree.self, from: manifest.bytes)
        return InspectedPublication(name: stem, build: manifest.content?.facts(tree), files: files)
    }

    /// What the documents say of artifacts: digests by file name; nil where there is no such document.
    private struct Claims {
        var manifest: [String: String]?
        var bill: [String: String]?
        var provenance: [String: String]?

        var all: [(what: String, digests: [String: String])] {
            [("manifest", manifest), ("SBOM", bill), ("provenance", provenance)].compactMap { what, digests in
                digests.map { (what, $0) }
            }
        }
    }

    private func compare(_ file: inout InspectedFile, with named: ManifestContent.Named?, isThere: Bool) {
        guard let named else { return }
        guard isThere else {
            if artifact == nil { file.problems.append("it is missing: the manifest names it") }
            return
        }
        file.compare(
            "manifest", named.digest == file.digest && named.file == file.file,
            otherwise: "its digest is not the one in the manifest")
    }

    /// The names of the artifacts to look at, sorted.
    private func artifacts(_ claims: Claims, _ manifest: inout InspectedFile) throws -> [String] {
        if let artifact { return [artifact] }
        let here = Folder.names(folder).compactMap { PublishedName($0.string) }
        var names = Set(here.filter { $0.stem == stem && $0.kind == .artifact }.map(\.file))
        for claim in claims.all { names.formUnion(claim.digests.keys) }
        let plain = names.filter(PublishedName.isPlain)
        if plain.count < names.count { manifest.problems.append("it or its companions name a file elsewhere") }
        return plain.sorted()
    }

    private func artifact(_ name: String, _ claims: Claims) async throws -> InspectedFile {
        var file = InspectedFile(name, .artifact)
        let path = folder.appending(name)
        var facts = stat()
        guard stat(path.string, &facts) == 0 else {
            file.problems.append(errno == ENOENT ? "it is missing" : "it cannot be read: \(Errno(rawValue: errno))")
            return file
        }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            file.problems.append("it is not a regular file")
            return file
        }
        file.size = ByteCount(UInt64(facts.st_size))
        file.allocated = ByteCount(UInt64(facts.st_blocks) * 512)
        do {
            file.describe(try await headers.header(of: path))
            file.digest = try await FileDigest.compute(path)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            file.problems.append("it cannot be read: \(error)")
            return file
        }
        compareChecksum(&file)
        if isOfAnotherBuild(name, claims) {
            file.notes.append("of another build: no document here names it")
            try await checkSignature(&file)
            return file
        }
        for (what, digests) in claims.all {
            let claimed = digests[name]
            file.compare(
                what, claimed == file.digest?.hex,
                otherwise: claimed == nil
                    ? "the \(what) does not name it" : "its digest is not the one in the \(what)")
        }
        try await checkSignature(&file)
        return file
    }

    /// A build of the same version with other outputs has left it: that is no fault of those that are named. Who asks
    /// for this file itself is told that the documents are not its own.
    private func isOfAnotherBuild(_ name: String, _ claims: Claims) -> Bool {
        artifact == nil && !claims.all.isEmpty && claims.all.allSatisfy { $0.digests[name] == nil }
    }

    /// The checksum beside it, as `sha256sum` writes it.
    private func compareChecksum(_ file: inout InspectedFile) {
        let name = file.file + ".sha256sum"
        let path = folder.appending(name)
        var facts = stat()
        guard stat(path.string, &facts) == 0 else {
            file.notes.append("no checksum beside it")
            return
        }
        guard facts.st_mode & S_IFMT == S_IFREG, facts.st_size <= 4096, let bytes = try? DurableFile.read(path) else {
            file.problems.append("\(name) cannot be read")
            return
        }
        let expected = file.digest.map { "\($0.hex)  \(file.file)\n" } ?? ""
        file.compare(
            "checksum", bytes == Array(expected.utf8), otherwise: "its digest is not the one in \(name)")
    }

    private func checkSignature(_ file: inout InspectedFile) async throws {
        let isSigned = access(folder.appending(Signer.name(of: file.file)).string, F_OK) == 0
        guard let signatures else {
            if isSigned { file.notes.append("signature not checked") }
            return
        }
        guard isSigned else {
            file.problems.append("it is not signed")
            return
        }
        let problem = try await signatures.problem(of: file, in: folder)
        file.compare("signature", problem == nil, otherwise: problem ?? "")
    }
}
