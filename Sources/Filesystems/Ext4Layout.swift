import CExt2

/// Where the structures of a filesystem of the ext family lie, by block.
///
///     group 0   superblock   descriptors of all groups   reserved descriptors   bitmaps   inode table   data
///     group N   the same; superblock and descriptors in some groups only, and only as copies
///
/// With flex_bg the bitmaps and inode tables of several groups stand together in the first of them.
package struct Ext4Layout {
    /// What a block is part of.
    package enum Structure: Hashable, Sendable {
        case superblock(group: UInt32)
        /// Descriptors of groups, from `first` on, in the copy of a group.
        case descriptors(group: UInt32, first: UInt32)
        case reservedDescriptors(group: UInt32)
        case blockBitmap(group: UInt32)
        case inodeBitmap(group: UInt32)
        case inodeTable(group: UInt32)
    }

    /// A structure and the blocks that it takes.
    package struct Area: Hashable, Sendable {
        package var blocks: Range<UInt64>
        package var structure: Structure
    }

    package let inodesPerGroup: UInt64
    /// In bytes.
    package let inodeSize: UInt64
    /// In bytes.
    package let descriptorSize: UInt64
    /// By their first block.
    private let areas: [Area]

    /// More than a filesystem of 64 TiB has.
    private static let mostGroups: UInt32 = 1 << 20

    /// Throws if there are more groups than can be.
    package init(_ filesystem: Ext4Filesystem) throws(Ext4.Failure) {
        var layout = cext2_layout()
        cext2_layout_of(filesystem.handle, &layout)
        guard layout.groups <= Self.mostGroups, layout.inode_size > 0, layout.descriptor_size > 0 else {
            throw Ext4.Failure(reason: "it has \(layout.groups) groups of blocks")
        }
        inodesPerGroup = UInt64(layout.inodes_per_group)
        inodeSize = UInt64(layout.inode_size)
        descriptorSize = UInt64(layout.descriptor_size)
        var found: [Area] = []
        for number in 0..<layout.groups {
            var group = cext2_group()
            cext2_group_of(filesystem.handle, number, &group)
            let first = UInt64(group.descriptor_blocks)
            if group.has_superblock != 0 { found.append(.init(group.superblock, 1, .superblock(group: number))) }
            if group.descriptors > 0 {
                found.append(
                    .init(group.descriptors, first, .descriptors(group: number, first: group.first_descriptor)))
            }
            if group.has_superblock != 0, group.descriptors > 0, layout.reserved_descriptor_blocks > 0 {
                found.append(
                    .init(
                        group.descriptors &+ first, UInt64(layout.reserved_descriptor_blocks),
                        .reservedDescriptors(group: number)))
            }
            found.append(.init(group.block_bitmap, 1, .blockBitmap(group: number)))
            found.append(.init(group.inode_bitmap, 1, .inodeBitmap(group: number)))
            found.append(
                .init(group.inode_table, UInt64(layout.inode_table_blocks), .inodeTable(group: number)))
        }
        areas = found.filter { !$0.blocks.isEmpty }.sorted { $0.blocks.lowerBound < $1.blocks.lowerBound }
    }

    /// The structure that a block belongs to, nil for blocks of files and free ones.
    package func area(of block: UInt64) -> Area? {
        var (low, high) = (0, areas.count)
        while low < high {
            let middle = low + (high - low) / 2
            if areas[middle].blocks.lowerBound <= block { low = middle + 1 } else { high = middle }
        }
        guard low > 0, areas[low - 1].blocks.contains(block) else { return nil }
        return areas[low - 1]
    }
}

extension Ext4Layout.Area {
    /// None where the blocks would lie outside of all filesystems.
    fileprivate init(_ first: UInt64, _ count: UInt64, _ structure: Ext4Layout.Structure) {
        let (end, overflow) = first.addingReportingOverflow(count)
        self.init(blocks: overflow ? 0..<0 : first..<end, structure: structure)
    }
}

/// What a block is to the inode that has it.
package struct Ext4Claim: Hashable, Sendable {
    package enum Use: Hashable, Sendable {
        /// Content; the number counts blocks from the start of the file.
        case content(UInt64)
        /// A block that says where the content is.
        case map
        case attributes
    }

    package var inode: UInt32
    package var use: Use
}

extension Ext4Filesystem {
    /// What each of these blocks is to the first inode that has it, found in one pass over all inodes; and whether the
    /// pass came to its end: no more blocks are looked at than twice as many as the filesystem has.
    package func claims(
        of blocks: some Sequence<UInt64>
    ) throws(Ext4.Failure) -> (claims: [UInt64: Ext4Claim], isComplete: Bool) {
        let sorted = Set(blocks).sorted()
        let found = Claims()
        var isComplete: Int32 = 0
        let (budget, overflow) = facts.blocks.multipliedReportingOverflow(by: 2)
        try Self.check(
            cext2_claims(
                handle, sorted, sorted.count, overflow ? facts.blocks : budget, Claims.add,
                Unmanaged.passUnretained(found).toOpaque(), &isComplete))
        return (found.claims, isComplete != 0)
    }

    /// Whether the bitmap calls a block free.
    package func isFree(_ block: UInt64, in free: [Range<UInt64>]) -> Bool {
        let (start, overflow) = block.multipliedReportingOverflow(by: facts.blockSize)
        guard !overflow else { return false }
        var (low, high) = (0, free.count)
        while low < high {
            let middle = low + (high - low) / 2
            if free[middle].upperBound <= start { low = middle + 1 } else { high = middle }
        }
        return low < free.count && free[low].contains(start)
    }
}

private final class Claims {
    var claims: [UInt64: Ext4Claim] = [:]

    static let add: cext2_claim = { context, block, inode, number in
        guard let context else { return 1 }
        let found = Unmanaged<Claims>.fromOpaque(context).takeUnretainedValue()
        guard found.claims[block] == nil else { return 0 }
        let use: Ext4Claim.Use =
            switch number {
            case 0...: .content(UInt64(number))
            case Int64(cext2_attributes_block): .attributes
            default: .map
            }
        found.claims[block] = Ext4Claim(inode: inode, use: use)
        return 0
    }
}
