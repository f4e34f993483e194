/// A finished file of a build.
package struct Artifact: Hashable, Sendable, Codable {
    package var file: String
    package var format: Output.Format
    package var size: ByteCount
    /// What the file occupies on disk when it is sparse.
    package var allocated: ByteCount
    package var digest: Digest

    package init(file: String, format: Output.Format, size: ByteCount, allocated: ByteCount, digest: Digest) {
        self.file = file
        self.format = format
        self.size = size
        self.allocated = allocated
        self.digest = digest
    }
}

/// A package of the image's package database, with what a bill of materials tells of it.
package struct InstalledPackage: Hashable, Sendable, Codable {
    package var name: String
    package var version: String
    package var architecture: String
    /// The source package that it was built from, and its version.
    package var source: String?
    package var sourceVersion: String?
    /// `Name <address>`, as the package says it.
    package var maintainer: String?
    package var homepage: String?
    /// The licences that its copyright file states in machine-readable form, such as `GPL-2+ or Artistic`, each once and
    /// sorted. Nil if the file is not there or not machine-readable.
    package var licenses: [String]?

    package init(
        name: String, version: String, architecture: String, source: String? = nil, sourceVersion: String? = nil,
        maintainer: String? = nil, homepage: String? = nil, licenses: [String]? = nil
    ) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.source = source
        self.sourceVersion = sourceVersion
        self.maintainer = maintainer
        self.homepage = homepage
        self.licenses = licenses
    }
}
