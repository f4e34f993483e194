package import Model

/// Where the partitions of a disk lie, in sectors of 512 bytes, aligned to 1 MiB:
///
///     GPT: | table | BIOS boot 1 MiB | ESP 64 MiB | root … | backup table |
///     MBR: | boot record, gap with the core image | ESP 64 MiB | root … | 1 MiB free |
///
/// What the firmware does not need is left out. Root is last, so that it can grow with the disk.
package struct DiskGeometry: Hashable, Sendable, Codable {
    package struct Partition: Hashable, Sendable, Codable {
        package var firstSector: UInt64
        package var sectors: UInt64

        package var offset: ByteCount { ByteCount(firstSector * 512) }
        package var size: ByteCount { ByteCount(sectors * 512) }
    }

    package var bios: Partition?
    package var esp: Partition?
    package var root: Partition
    package var disk: ByteCount

    static let espSize = ByteCount.mebi(64)
    private static let mebibyte: UInt64 = 2048

    /// The geometry for a root filesystem of at least `needed` bytes. Throws if a fixed size does not hold it.
    package init(_ layout: DiskLayout, needed: ByteCount) throws {
        var next = Self.mebibyte
        func take(_ size: ByteCount) -> Partition {
            let sectors = size.rounded(upTo: .mebi(1)).bytes / 512
            defer { next += sectors }
            return Partition(firstSector: next, sectors: sectors)
        }
        bios = layout.table == .gpt && layout.firmware != .uefi ? take(.mebi(1)) : nil
        esp = layout.firmware != .bios ? take(Self.espSize) : nil
        // With an MBR too, so that the disk can be converted to GPT later.
        let tail = Self.mebibyte
        switch layout.size {
        case .automatic(let margin):
            root = take(ByteCount(needed.bytes + margin.bytes))
            disk = ByteCount((next + tail) * 512)
        case .fixed(let size):
            disk = ByteCount((size.bytes >> 20) << 20)
            let least = ByteCount((next + tail) * 512 + needed.rounded(upTo: .mebi(1)).bytes)
            guard disk >= least else {
                throw FactoryError(
                    .definition, "the tree needs a disk of at least \(least), and disk.size is \(size)",
                    remedy: "raise disk.size to \(least.bytes >> 20)M or more, or say 'automatic'")
            }
            root = Partition(firstSector: next, sectors: disk.bytes / 512 - tail - next)
        }
        if layout.table == .mbr, disk > .gibi(2047) {
            throw FactoryError(
                .definition, "an MBR table holds at most 2 TiB, and disk.size is \(disk)",
                remedy: "say 'table: gpt'")
        }
    }
}

/// What ext4 needs for a tree.
struct FilesystemNeeds {
    /// Data of files and folders in whole blocks.
    var data: ByteCount
    var inodes: UInt64

    static let blockSize: UInt64 = 4096
    static let inodeSize: UInt64 = 256

    /// Bytes per inode: the usual 16 KiB, halved until a filesystem as small as this has inodes enough.
    var inodeRatio: UInt64 {
        var ratio: UInt64 = 16384
        while ratio > 2048, leastSize(ratio: ratio) / ratio < inodes + inodes / 8 + 1024 { ratio /= 2 }
        return ratio
    }

    /// The journal as mke2fs would size it, but never more than an eighth of a small filesystem.
    static func journal(for size: ByteCount) -> ByteCount {
        size < .gibi(2) ? .mebi(16) : size < .gibi(16) ? .mebi(64) : .mebi(128)
    }

    /// The smallest filesystem that holds the tree.
    var least: ByteCount { ByteCount(leastSize(ratio: inodeRatio)) }

    /// Data, its extents and folders' indexes (3 %), journal, superblocks and group descriptors with room to grow,
    /// and inode tables, which take their share of the whole.
    private func leastSize(ratio: UInt64) -> UInt64 {
        let content = data.bytes + data.bytes / 32 + (64 << 20)
        return max(content * ratio / (ratio - Self.inodeSize - 16), (inodes + 1024) * ratio / 8)
    }
}
