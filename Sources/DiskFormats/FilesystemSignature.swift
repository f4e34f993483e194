/// What a partition holds, as its first bytes say.
///
///     byte 0        XFSB · LUKS BA BE          512…2048  LABELONE … LVM2 001
///     byte 1080     53 EF: ext2, ext3, ext4    1024      10 20 F5 F2: f2fs
///     byte 4086     SWAPSPACE2 (at the end of a page of 4 to 64 KiB)
///     byte 4096     FC 4E 2B A9: a member of a RAID    65600  _BHRfS_M: btrfs
///
/// Sources: the on-disk formats' documentation in the Linux kernel, cryptsetup and LVM.
package enum FilesystemSignature: String, Hashable, Sendable, Codable, CaseIterable {
    case ext2, ext3, ext4, xfs, btrfs, f2fs
    case lvm = "LVM"
    case luks = "LUKS"
    case raid = "RAID"
    case swap, vfat, ntfs, squashfs, iso9660

    /// Whether a Linux system can be in it: filesystems of Linux, and what only holds such.
    package var isLinux: Bool {
        switch self {
        case .ext2, .ext3, .ext4, .xfs, .btrfs, .f2fs, .lvm, .luks, .raid: true
        case .swap, .vfat, .ntfs, .squashfs, .iso9660: false
        }
    }

    /// Whether libext2fs knows it.
    package var isExt: Bool { [.ext2, .ext3, .ext4].contains(self) }

    /// Nil if it is blank or unknown. Throws only if the disk cannot be read.
    package static func recognize(_ disk: some ByteSource, at start: Int64) throws -> FilesystemSignature? {
        guard let start = UInt64(exactly: start) else { return nil }
        func field(_ offset: UInt64, _ count: Int) throws -> ByteFields {
            let (place, overflow) = start.addingReportingOverflow(offset)
            return overflow ? ByteFields([]) : try disk.bytes(at: place, count: count)
        }
        let head = try field(0, 4096)
        // A signature at the very start is the latest: what makes a LUKS or xfs volume overwrites it.
        if head.has("XFSB") { return .xfs }
        if head.has(Array("LUKS".utf8) + [0xba, 0xbe]) { return .luks }
        if let kind = ext(head) { return kind }
        if try field(65536 + 64, 8).has("_BHRfS_M") { return .btrfs }
        if head.has([0x10, 0x20, 0xf5, 0xf2], at: 1024) { return .f2fs }
        for sector in stride(from: 0, to: 2048, by: 512)
        where head.has("LABELONE", at: sector) && head.has("LVM2 001", at: sector + 24) { return .lvm }
        for page: UInt64 in [4096, 8192, 16384, 32768, 65536] {
            let end = try field(page - 10, 10)
            if end.has("SWAPSPACE2") || end.has("SWAP-SPACE") { return .swap }
        }
        let raid: [UInt8] = [0xfc, 0x4e, 0x2b, 0xa9]
        if try head.has(raid) || field(4096, 4).has(raid) { return .raid }
        if head.has([0x55, 0xaa], at: 510), head.has("FAT", at: 54) || head.has("FAT32", at: 82) { return .vfat }
        if head.has("NTFS    ", at: 3) { return .ntfs }
        if head.has("hsqs") { return .squashfs }
        if try field(32769, 5).has("CD001") { return .iso9660 }
        return nil
    }

    /// The superblock begins at byte 1024; its features say which of the family it is.
    private static func ext(_ head: ByteFields) -> FilesystemSignature? {
        guard head.has([0x53, 0xef], at: 1024 + 56), let compatible = head.little(1024 + 92, as: UInt32.self),
            let incompatible = head.little(1024 + 96, as: UInt32.self),
            let readOnly = head.little(1024 + 100, as: UInt32.self)
        else { return nil }
        // What ext3 knows: filetype, recover, journal_dev and meta_bg; sparse_super, large_file and btree_dir.
        if incompatible & ~0x1e != 0 || readOnly & ~0x7 != 0 { return .ext4 }
        return compatible & 4 != 0 ? .ext3 : .ext2
    }
}
