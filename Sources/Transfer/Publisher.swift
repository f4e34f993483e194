package import Model

/// Takes finished images to where they are wanted. Each kind of destination has one.
package protocol Publisher: Sendable {
    /// Takes an image, then its checksum, so that nobody there sees a checksum without its image, or half a file. What
    /// is there already with the same bytes is not sent again.
    func publish(_ image: PublishedImage, to destination: UploadDestination, report: TransferReport) async throws
}

/// An image and what lies beside it, by absolute paths.
package struct PublishedImage: Hashable, Sendable {
    package var file: String
    /// `file` with `.sha256sum` behind it.
    package var checksum: String

    package init(file: String, checksum: String) {
        self.file = file
        self.checksum = checksum
    }
}
