package import SystemPackage

/// The partition table of a disk image, and what is wrong with it.
///
///     LBA 0           MBR: 440 bytes of boot code, signature, 4 entries of 16 bytes, 55 AA
///     LBA 1           GPT header: CRC, its own and the other copy's LBA, usable range, GUID, place of the entries
///     LBA 2…          GPT entries, usually 128 of 128 bytes
///     …               partitions
///     LBA last-32…    copy of the entries
///     LBA last        copy of the header
///
/// Sources: UEFI 2.10 chapter 5; the extended partitions as Linux and libfdisk read them.
package struct PartitionTable: Hashable, Sendable {
    package enum Scheme: Hashable, Sendable {
        /// The disk signature at offset 0x1b8.
        case mbr(signature: UInt32)
        /// The disk's GUID and the LBAs between which partitions may lie.
        case gpt(disk: GUID, usable: ClosedRange<UInt64>)
    }

    package let scheme: Scheme
    /// Bytes per sector: the unit of all LBAs.
    package let sectorSize: UInt64
    /// In the order of their numbers. Free entries and extended partitions are none.
    package let partitions: [Partition]
    /// What is wrong though the table could be read. Empty for a sound table.
    package let problems: [PartitionTableProblem]

    /// Reads the table of an open disk image. Throws `PartitionTableError`, or `FileAccessError` if reading fails.
    package static func read(_ descriptor: FileDescriptor) throws -> PartitionTable {
        try read(FileBytes(descriptor))
    }

    /// Reads the table of a disk. GPT is tried with sectors of 512 and of 4096 bytes.
    package static func read(_ disk: some ByteSource) throws -> PartitionTable {
        guard let first = try disk.whole(at: 0, count: 512) else { throw PartitionTableError.tooSmall }
        guard let mbr = MasterBootRecord(first) else { throw PartitionTableError.noTable }
        guard mbr.isProtective else { return try mbr.table(of: disk) }
        for sectorSize: UInt64 in [512, 4096] {
            if let reader = try GPTReader(disk, sectorSize: sectorSize, mbr: mbr) { return try reader.table() }
        }
        throw PartitionTableError.gptMissing
    }
}

/// A partition: a range of sectors with a type.
package struct Partition: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case mbr(type: UInt8, active: Bool)
        case gpt(type: GUID, unique: GUID, name: String, attributes: UInt64)
    }

    /// The number in the name of its device, from 1; logical partitions of an MBR from 5.
    package let number: Int
    package let firstLBA: UInt64
    /// The last sector, not the one behind it.
    package let lastLBA: UInt64
    package let kind: Kind

    package init(number: Int, firstLBA: UInt64, lastLBA: UInt64, kind: Kind) {
        self.number = number
        self.firstLBA = firstLBA
        self.lastLBA = lastLBA
        self.kind = kind
    }

    /// The bytes of the disk it covers, or nil if that is no range within 2^63 bytes.
    package func byteRange(sectorSize: UInt64) -> Range<Int64>? {
        guard firstLBA <= lastLBA, let start = product(firstLBA, sectorSize),
            let end = product(lastLBA, sectorSize, plus: sectorSize),
            let lower = Int64(exactly: start), let upper = Int64(exactly: end)
        else { return nil }
        return lower..<upper
    }
}
