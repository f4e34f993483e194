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

/// A package of the image's package database.
package struct InstalledPackage: Hashable, Sendable, Codable {
    package var name: String
    package var version: String
    package var architecture: String

    package init(name: String, version: String, architecture: String) {
        self.name = name
        self.version = version
        self.architecture = architecture
    }
}
