/// A disk image that somebody else made, or an empty disk, from which an image is made: by conversion, and where that is
/// wished by one boot with cloud-init and by a reset for cloning.
package struct ImageBase: Hashable, Sendable, Codable {
    package struct Input: Hashable, Sendable, Codable {
        package var source: Source
        /// What somebody says of its bytes; nil: nothing was said.
        package var checksum: Checksum?
        /// The format that it is said to have. The header tells which it is; another one than this is refused.
        package var format: ImageFormat?

        package init(_ source: Source, checksum: Checksum? = nil, format: ImageFormat? = nil) {
            self.source = source
            self.checksum = checksum
            self.format = format
        }
    }

    /// Nil: the disk is empty.
    package var input: Input?
    /// Of the result.
    package var format: ImageFormat
    /// The bytes that a guest sees, whole sectors of 512; nil: as many as the input has.
    package var size: ByteCount?
    /// Whether the disk may become smaller than the input, which cuts off what lies behind.
    package var mayShrink: Bool
    /// Nil: the image is not booted to change it.
    package var setup: CloudSetup?
    /// Nil: nothing is reset.
    package var reset: ResetAction?

    package init(
        input: Input?, format: ImageFormat = .qcow2, size: ByteCount?, mayShrink: Bool = false,
        setup: CloudSetup? = nil, reset: ResetAction? = nil
    ) {
        self.input = input
        self.format = format
        self.size = size
        self.mayShrink = mayShrink
        self.setup = setup
        self.reset = reset
    }
}

/// A format of disk images that can be read and written.
package enum ImageFormat: String, Hashable, Sendable, Codable, CaseIterable {
    case raw
    case qcow2
    case vmdk
    case vhd
    case vhdx
    case vdi

    /// QEMU's name of the format.
    package var driver: String { self == .vhd ? "vpc" : rawValue }

    /// The format of a name as people and QEMU write it.
    package init?(named name: String) {
        guard let format = Self.allCases.first(where: { $0.rawValue == name || $0.driver == name }) else { return nil }
        self = format
    }
}
