import Glibc
package import SystemPackage

/// The bytes of an image made by hand: sparse pieces and a size.
package struct ImageBytes: Sendable {
    package private(set) var pieces: [(at: Int, bytes: [UInt8])] = []
    package var size: Int

    package func with(_ at: Int, _ bytes: [UInt8]) -> ImageBytes {
        var copy = self
        copy.pieces.append((at, bytes))
        copy.size = max(size, at + bytes.count)
        return copy
    }

    package func text(_ at: Int, _ text: String) -> ImageBytes { with(at, Array(text.utf8)) }

    package func big<Number: FixedWidthInteger>(_ at: Int, _ number: Number) -> ImageBytes {
        with(at, withUnsafeBytes(of: number.bigEndian) { Array($0) })
    }

    package func little<Number: FixedWidthInteger>(_ at: Int, _ number: Number) -> ImageBytes {
        with(at, withUnsafeBytes(of: number.littleEndian) { Array($0) })
    }

    package func cut(to size: Int) -> ImageBytes {
        var copy = self
        copy.pieces = pieces.compactMap { piece in
            piece.at < size ? (piece.at, Array(piece.bytes.prefix(size - piece.at))) : nil
        }
        copy.size = size
        return copy
    }

    package func write(_ path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter {
            for piece in pieces { _ = try file.writeAll(toAbsoluteOffset: Int64(piece.at), piece.bytes) }
            guard ftruncate(file.rawValue, off_t(size)) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// Sound, empty images of a few MiB.
    package static let raw = ImageBytes(size: 1 << 20).with(510, [0x55, 0xaa])

    package static let qcow2 = ImageBytes(size: 4 << 16)
        .text(0, "QFI\u{0}").with(3, [0xfb]).big(4, UInt32(3)).big(20, UInt32(16)).big(24, UInt64(1 << 20))
        .big(36, UInt32(1)).big(40, UInt64(3 << 16)).big(48, UInt64(1 << 16)).big(56, UInt32(1)).big(96, UInt32(4))
        .big(100, UInt32(104)).big(1 << 16, UInt64(2 << 16))
        .big(2 << 16, UInt64(0x0001_0001_0001_0001))

    package static let vmdkDescriptor = """
        # Disk DescriptorFile
        version=1
        CID=5f1c2a3b
        parentCID=ffffffff
        createType="monolithicSparse"

        RW 2048 SPARSE "disk.vmdk"

        """

    package static let vmdk = ImageBytes(size: 1 << 17)
        .text(0, "KDMV").little(4, UInt32(1)).little(8, UInt32(3)).little(12, UInt64(2048)).little(20, UInt64(128))
        .little(28, UInt64(1)).little(36, UInt64(20)).little(44, UInt32(512)).little(48, UInt64(21))
        .little(56, UInt64(26)).little(64, UInt64(128)).text(73, "\n \r\n").text(512, vmdkDescriptor)

    package static func vhdFooter(type: UInt32, size: UInt64) -> [UInt8] {
        var footer = [UInt8](repeating: 0, count: 512)
        func put(_ at: Int, _ bytes: [UInt8]) { footer.replaceSubrange(at..<at + bytes.count, with: bytes) }
        func number<Number: FixedWidthInteger>(_ at: Int, _ value: Number) {
            put(at, withUnsafeBytes(of: value.bigEndian) { Array($0) })
        }
        put(0, Array("conectix".utf8))
        number(8, UInt32(2))
        number(12, UInt32(0x10000))
        number(16, type == 2 ? UInt64.max : 512)
        number(40, size)
        number(48, size)
        number(60, type)
        number(64, ~footer.reduce(UInt32(0)) { $0 + UInt32($1) })
        return footer
    }

    package static let fixedVHD = raw.with(1 << 20, vhdFooter(type: 2, size: 1 << 20))

    package static func dynamicVHD(type: UInt32 = 3) -> ImageBytes {
        ImageBytes(size: 4096).with(0, vhdFooter(type: type, size: 2 << 20)).text(512, "cxsparse")
            .big(512 + 16, UInt64(1536)).big(512 + 28, UInt32(1)).big(512 + 32, UInt32(2 << 20))
            .with(1536, [0xff, 0xff, 0xff, 0xff]).with(2048, vhdFooter(type: type, size: 2 << 20)).cut(to: 2560)
    }

    /// The GUIDs as they lie on the disk.
    package static let vhdxMetadata: [UInt8] = [
        0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e,
    ]
    package static let vhdxParameters: [UInt8] = [
        0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b,
    ]
    package static let vhdxSize: [UInt8] = [
        0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8,
    ]
    package static let vhdxParent: [UInt8] = [
        0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c,
    ]

    package static let vhdx = ImageBytes(size: 4 << 20)
        .text(0, "vhdxfile").text(64 << 10, "head").little((64 << 10) + 8, UInt64(1)).text(128 << 10, "head")
        .little((128 << 10) + 8, UInt64(2)).text(192 << 10, "regi").little((192 << 10) + 8, UInt32(1))
        .with((192 << 10) + 16, vhdxMetadata).little((192 << 10) + 32, UInt64(2 << 20))
        .text(2 << 20, "metadata").little((2 << 20) + 10, UInt16(2))
        .with((2 << 20) + 32, vhdxParameters).little((2 << 20) + 48, UInt32(64 << 10))
        .with((2 << 20) + 64, vhdxSize).little((2 << 20) + 80, UInt32((64 << 10) + 8))
        .little((2 << 20) + (64 << 10), UInt32(8 << 20)).little((2 << 20) + (64 << 10) + 8, UInt64(8 << 20))

    package static let vdi = ImageBytes(size: 1 << 20)
        .with(64, [0x7f, 0x10, 0xda, 0xbe]).little(68, UInt32(0x10001)).little(76, UInt32(1))
        .little(340, UInt32(512)).little(344, UInt32(4096)).little(360, UInt32(512)).little(368, UInt64(2 << 20))
        .little(376, UInt32(1 << 20)).little(384, UInt32(2))

    package static let iso = ImageBytes(size: 65536).with(32768, [1]).text(32769, "CD001").little(32848, UInt32(32))
        .little(32896, UInt16(2048))
}
