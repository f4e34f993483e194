/// The parts of SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/) that a bill of materials of an image needs, named as
/// in its JSON form.
struct SPDXDocument: Encodable {
    struct CreationInfo: Encodable {
        var created: String
        var creators: [String]
    }

    struct Checksum: Encodable {
        var algorithm: String
        var checksumValue: String
    }

    struct ExternalReference: Encodable {
        var referenceCategory: String
        var referenceType: String
        var referenceLocator: String
    }

    struct Package: Encodable {
        var SPDXID: String
        var name: String
        var versionInfo: String
        var packageFileName: String?
        var supplier: String?
        var downloadLocation = "NOASSERTION"
        var filesAnalyzed = false
        var checksums: [Checksum]?
        var homepage: String?
        var sourceInfo: String?
        var licenseConcluded = "NOASSERTION"
        var licenseDeclared = "NOASSERTION"
        var copyrightText = "NOASSERTION"
        var externalRefs: [ExternalReference]?
        var primaryPackagePurpose: String?
    }

    struct Relationship: Encodable {
        var spdxElementId: String
        var relationshipType: String
        var relatedSpdxElement: String
    }

    struct ExtractedLicense: Encodable {
        var licenseId: String
        var name: String
        var extractedText: String
    }

    var spdxVersion = "SPDX-2.3"
    var dataLicense = "CC0-1.0"
    var SPDXID = "SPDXRef-DOCUMENT"
    var name: String
    var documentNamespace: String
    var creationInfo: CreationInfo
    var packages: [Package]
    var hasExtractedLicensingInfos: [ExtractedLicense]
    var relationships: [Relationship]
}
