/// One package as it came into an image: enough to get the same bytes again, and to know that they are the same.
package struct LockedPackage: Hashable, Sendable, Codable {
    package var name: String
    package var version: String
    /// `amd64` or `all`.
    package var architecture: String
    /// SHA-256 of the .deb file, from the signed package lists.
    package var digest: Digest
    /// Of the .deb file, in bytes.
    package var size: UInt64
    /// Which of the distribution's archives has it: `main` or `security`.
    package var archive: String
    /// Below the archive's root, such as `pool/main/b/bash/bash_5.2.37-2_amd64.deb`.
    package var file: String

    package init(
        name: String, version: String, architecture: String, digest: Digest, size: UInt64, archive: String,
        file: String
    ) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.digest = digest
        self.size = size
        self.archive = archive
        self.file = file
    }
}
