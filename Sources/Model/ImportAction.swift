/// A disk image brought into another format and size, or an empty disk.
package struct ImportAction: Hashable, Sendable, Codable {
    /// Of the image's file as it came; nil: the disk is empty.
    package var input: Digest?
    /// The format that the input is said to have.
    package var claimed: ImageFormat?
    package var format: ImageFormat
    /// The bytes that a guest sees; nil: as many as the input has.
    package var size: ByteCount?
    package var mayShrink: Bool

    package init(_ base: ImageBase, input: Digest?) {
        self.input = input
        claimed = base.input?.format
        format = base.format
        size = base.size
        mayShrink = base.mayShrink
    }

    /// The name of the result.
    package var file: String { "disk." + format.rawValue }
}

/// What an import does, in this order. Its errors name it as what was being done.
package enum ImportStage: String, Sendable, CaseIterable {
    case unpacking = "unpacking the image"
    case inspecting = "looking at the image"
    case creating = "creating the disk"
    case converting = "converting the image"
    case resizing = "resizing the disk"
    case checking = "checking the disk"
}
