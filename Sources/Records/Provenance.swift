import Model

/// `NAME-VERSION.provenance.json`: an in-toto statement (https://in-toto.io/Statement/v1) with SLSA's provenance
/// (https://slsa.dev/spec/v1.0/provenance): which builder made the artifacts, of what, and how.
///
/// It has no times: they would make two equal builds differ. The manifest has them.
package enum Provenance {
    package static let statementType = "https://in-toto.io/Statement/v1"
    package static let predicateType = "https://slsa.dev/provenance/v1"
    /// What `externalParameters` mean: docs/artifacts.md.
    package static let buildType = "urn:x-image-factory:build:1"
    package static let builder = "urn:x-image-factory:builder"

    /// The statement's text: the same for the same record.
    ///
    /// - Parameter bill: the bill of materials, a by-product, if there is one.
    package static func text(_ record: ImageRecord, bill: ImageRecord.File?) throws -> String {
        try Canonical.text(
            Statement(
                _type: statementType, subject: record.artifacts.map { Resource(name: $0.file, $0.digest) },
                predicateType: predicateType,
                predicate: Predicate(
                    buildDefinition: definition(of: record),
                    runDetails: RunDetails(
                        builder: Builder(id: builder, version: ["image-factory": record.builder]),
                        metadata: Metadata(invocationId: "urn:uuid:" + record.identity.derived("provenance").uuid),
                        byproducts: bill.map { [Resource(name: $0.name, $0.digest)] } ?? []))))
    }

    private static func definition(of record: ImageRecord) -> BuildDefinition {
        let packages = record.packages.compactMap { package in
            package.locked.map { locked in
                Resource(
                    uri: PackageURL.of(package.installed, distribution: record.distribution, suite: record.suite),
                    name: locked.file.split(separator: "/").last.map(String.init), locked.digest)
            }
        }
        let lock = record.lock.map { Resource(name: $0.name, $0.digest) }
        return BuildDefinition(
            buildType: buildType,
            externalParameters: ExternalParameters(
                definition: Resource(name: record.definitionFile.name, record.definitionFile.digest),
                variables: record.variables, lock: lock),
            internalParameters: InternalParameters(
                definition: record.definition, plan: record.plan,
                steps: record.steps.map { Step(name: $0.name, id: $0.id, tools: $0.tools) }),
            resolvedDependencies: (record.releases + record.sources).map { Resource(uri: $0.name, $0.digest) }
                + packages + record.localFiles.map { Resource(name: $0.name, $0.digest) })
    }
}

private struct Statement: Encodable {
    var _type: String
    var subject: [Resource]
    var predicateType: String
    var predicate: Predicate
}

private struct Predicate: Encodable {
    var buildDefinition: BuildDefinition
    var runDetails: RunDetails
}

private struct BuildDefinition: Encodable {
    var buildType: String
    var externalParameters: ExternalParameters
    var internalParameters: InternalParameters
    var resolvedDependencies: [Resource]
}

private struct ExternalParameters: Encodable {
    var definition: Resource
    var variables: [String: String]
    var lock: Resource?
}

private struct InternalParameters: Encodable {
    /// Of the definition as it was understood, and of the whole plan.
    var definition: Digest
    var plan: Digest
    var steps: [Step]
}

private struct Step: Encodable {
    var name: String
    var id: Digest
    var tools: [String: String]
}

private struct RunDetails: Encodable {
    var builder: Builder
    var metadata: Metadata
    var byproducts: [Resource]
}

private struct Builder: Encodable {
    var id: String
    var version: [String: String]
}

private struct Metadata: Encodable {
    var invocationId: String
}

/// in-toto's ResourceDescriptor.
private struct Resource: Encodable {
    var uri: String?
    var name: String?
    var digest: [String: String]

    init(uri: String? = nil, name: String? = nil, _ digest: Digest) {
        self.uri = uri
        self.name = name
        self.digest = ["sha256": digest.hex]
    }
}
