import Model

/// `NAME-VERSION.sbom.spdx.json`: what is in an image, for those who look for licences and known faults.
///
/// The document describes each artifact and the image itself; the artifacts contain the image, which contains the
/// packages of its package database.
package enum BillOfMaterials {
    private static let image = "SPDXRef-Image"

    /// The document's text: the same for the same record.
    package static func text(_ record: ImageRecord) throws -> String {
        var licenses: [String: String] = [:]
        let packages = record.packages.map { package in
            Self.package(package, record, collecting: &licenses)
        }
        let artifacts = record.artifacts.map { artifact(of: record, $0) }
        var related = [relationship("SPDXRef-DOCUMENT", "DESCRIBES", image)]
        for artifact in artifacts {
            related.append(relationship("SPDXRef-DOCUMENT", "DESCRIBES", artifact.SPDXID))
            related.append(relationship(artifact.SPDXID, "CONTAINS", image))
        }
        related += packages.map { relationship(image, "CONTAINS", $0.SPDXID) }
        return try Canonical.text(
            SPDXDocument(
                name: "\(record.name)-\(record.version)",
                documentNamespace: "urn:uuid:" + record.identity.derived("spdx").uuid,
                creationInfo: SPDXDocument.CreationInfo(
                    created: Timestamp.text(record.epoch), creators: ["Tool: image-factory-\(record.builder)"]),
                packages: [operatingSystem(of: record)] + artifacts + packages,
                hasExtractedLicensingInfos: licenses.sorted { $0.key < $1.key }.map { extracted($0.key, $0.value) },
                relationships: related))
    }

    private static func relationship(_ from: String, _ kind: String, _ to: String) -> SPDXDocument.Relationship {
        SPDXDocument.Relationship(spdxElementId: from, relationshipType: kind, relatedSpdxElement: to)
    }

    private static func operatingSystem(of record: ImageRecord) -> SPDXDocument.Package {
        SPDXDocument.Package(
            SPDXID: image, name: record.name, versionInfo: record.version,
            sourceInfo: "made by image-factory from the plan \(record.plan)",
            primaryPackagePurpose: "OPERATING-SYSTEM")
    }

    private static func artifact(of record: ImageRecord, _ artifact: Artifact) -> SPDXDocument.Package {
        SPDXDocument.Package(
            SPDXID: "SPDXRef-Artifact-" + artifact.format.rawValue, name: artifact.file, versionInfo: record.version,
            packageFileName: artifact.file, checksums: [checksum(artifact.digest)], primaryPackagePurpose: "ARCHIVE")
    }

    private static func checksum(_ digest: Digest) -> SPDXDocument.Checksum {
        SPDXDocument.Checksum(algorithm: "SHA256", checksumValue: digest.hex)
    }

    private static func package(
        _ package: ImageRecord.Package, _ record: ImageRecord, collecting licenses: inout [String: String]
    ) -> SPDXDocument.Package {
        let installed = package.installed
        var result = SPDXDocument.Package(
            SPDXID: identifier(of: installed), name: installed.name, versionInfo: installed.version)
        result.supplier = installed.maintainer.flatMap(Supplier.text) ?? "NOASSERTION"
        result.homepage = installed.homepage.flatMap { WebAddress.isOne($0) ? $0 : nil }
        if let source = installed.source {
            result.sourceInfo = "built from the source package \(source) \(installed.sourceVersion ?? "")"
        }
        if let locked = package.locked {
            result.checksums = [checksum(locked.digest)]
            result.packageFileName = locked.file.split(separator: "/").last.map(String.init)
            let address = package.archive.map { "\($0)/\(locked.file)" }
            result.downloadLocation = address.flatMap { WebAddress.isOne($0) ? $0 : nil } ?? "NOASSERTION"
        }
        if let expression = installed.licenses.flatMap(LicenseExpression.all) {
            result.licenseDeclared = expression.text
            licenses.merge(expression.references) { first, _ in first }
        }
        result.externalRefs = [
            SPDXDocument.ExternalReference(
                referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
                referenceLocator: PackageURL.of(installed, distribution: record.distribution, suite: record.suite))
        ]
        return result
    }

    /// Package names are in lower case, so that the encoding in capitals keeps two names two.
    private static func identifier(of package: InstalledPackage) -> String {
        let text = "\(package.name)-\(package.architecture)".utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x7a, UInt8(ascii: "."), UInt8(ascii: "-"): String(Unicode.Scalar(byte))
            default: "-" + Hexadecimal.string([byte]).uppercased()
            }
        }
        return "SPDXRef-Package-" + text.joined()
    }

    private static func extracted(_ reference: String, _ name: String) -> SPDXDocument.ExtractedLicense {
        SPDXDocument.ExtractedLicense(
            licenseId: reference, name: name.isEmpty ? "NOASSERTION" : name,
            extractedText: "What copyright files of the image's packages call '\(name)'. Its text is in "
                + "/usr/share/doc/PACKAGE/copyright of the packages that declare it.")
    }
}

/// Who stands for a package.
enum Supplier {
    /// `Organization: Debian GCC Maintainers (debian-gcc@lists.debian.org)` of a Maintainer field; nil if it has no name.
    static func text(_ maintainer: String) -> String? {
        // Parentheses are the address's in SPDX.
        let clean = String(maintainer.map { $0 == "(" ? "[" : $0 == ")" ? "]" : $0 }).filter { !$0.isNewline }
        let parts = clean.split(separator: "<", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0].split(separator: " ").joined(separator: " ")
        guard !name.isEmpty else { return nil }
        let groups = ["team", "maintainers", "group", "developers", "packagers", "project", "debian"]
        let words = name.lowercased().split { !$0.isLetter }.map(String.init)
        let kind = words.contains(where: groups.contains) ? "Organization" : "Person"
        guard parts.count == 2, let end = parts[1].firstIndex(of: ">") else { return "\(kind): \(name)" }
        return "\(kind): \(name) (\(parts[1][..<end]))"
    }
}

/// Addresses of the web that validators take for such.
enum WebAddress {
    static func isOne(_ text: String) -> Bool {
        let rest =
            text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : nil
        guard let rest, text.utf8.count <= 2048 else { return false }
        let host = rest.prefix { !"/?#:".contains($0) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let isName = { (label: Substring) in
            !label.isEmpty && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
        return labels.count > 1 && labels.allSatisfy(isName)
            && isPath(rest.dropFirst(host.count))
    }

    /// Also what follows the path. A percent sign begins two hexadecimal digits.
    private static func isPath(_ text: Substring) -> Bool {
        let parts = text.split(separator: "%", omittingEmptySubsequences: false)
        return parts.dropFirst().allSatisfy { $0.count >= 2 && $0.prefix(2).allSatisfy(\.isHexDigit) }
            && parts.joined().utf8.allSatisfy { isLetterOrDigit($0) || "-._~:/?&=+,;@!$*".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}
