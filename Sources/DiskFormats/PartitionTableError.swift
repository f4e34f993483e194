/// Why a partition table could not be read at all.
package enum PartitionTableError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The disk is shorter than a sector.
    case tooSmall
    /// The first sector is no partition table: it is blank or a filesystem.
    case noTable
    /// The MBR announces a GPT, and neither copy of it is there.
    case gptMissing
    /// Both copies of the GPT are damaged.
    case gptDamaged(primary: GPTDamage, backup: GPTDamage)

    package var description: String {
        switch self {
        case .tooSmall: "the disk is shorter than one sector"
        case .noTable: "the disk has no partition table"
        case .gptMissing: "the disk's MBR announces a GPT that is not there"
        case .gptDamaged(let primary, let backup):
            "both copies of the disk's GPT are damaged (primary: \(primary); backup: \(backup))"
        }
    }
}

/// What is wrong with one copy of a GPT.
package enum GPTDamage: Error, Hashable, Sendable, CustomStringConvertible {
    case notThere
    case unknownRevision(UInt32)
    case badHeaderSize(UInt32)
    case headerChecksum
    /// The header says it stands elsewhere.
    case wrongPlace(UInt64)
    /// Size or number of the entries is not one that can be.
    case badEntryLayout(size: UInt32, count: UInt32)
    case badUsableRange(first: UInt64, last: UInt64)
    case entriesOutsideDisk
    case entriesChecksum

    package var description: String {
        switch self {
        case .notThere: "not there"
        case .unknownRevision(let value): "unknown revision 0x\(String(value, radix: 16))"
        case .badHeaderSize(let size): "header of \(size) bytes"
        case .headerChecksum: "wrong checksum of the header"
        case .wrongPlace(let lba): "a header that belongs to sector \(lba)"
        case .badEntryLayout(let size, let count): "\(count) entries of \(size) bytes"
        case .badUsableRange(let first, let last): "usable sectors \(first) to \(last)"
        case .entriesOutsideDisk: "entries outside of the disk"
        case .entriesChecksum: "wrong checksum of the entries"
        }
    }
}

/// What is wrong with a table that could be read.
package enum PartitionTableProblem: Hashable, Sendable, CustomStringConvertible {
    case primaryDamaged(GPTDamage)
    case backupDamaged(GPTDamage)
    /// The backup is not in the last sector: the image was resized after it was partitioned.
    case backupMisplaced(lba: UInt64, last: UInt64)
    case copiesDiffer
    /// The protective MBR lists other partitions too.
    case hybridMBR
    /// There is a GPT, but no protective MBR: systems ignore the GPT.
    case unprotectedGPT
    /// A partition that ends before it starts.
    case backwards(Int)
    case outsideDisk(Int)
    case outsideUsableRange(Int)
    case overlap(Int, Int)
    case sharedGUID(Int, Int)
    /// The chain of extended partitions is broken or runs in a circle at this sector.
    case brokenExtendedChain(lba: UInt64)

    package var description: String {
        switch self {
        case .primaryDamaged(let damage): "the primary GPT is damaged: \(damage)"
        case .backupDamaged(let damage): "the backup GPT is damaged: \(damage)"
        case .backupMisplaced(let lba, let last): "the backup GPT is at sector \(lba), not at the last one, \(last)"
        case .copiesDiffer: "primary and backup GPT differ"
        case .hybridMBR: "the protective MBR lists other partitions"
        case .unprotectedGPT: "there is a GPT without a protective MBR"
        case .backwards(let number): "partition \(number) ends before it starts"
        case .outsideDisk(let number): "partition \(number) reaches beyond the disk"
        case .outsideUsableRange(let number): "partition \(number) leaves the GPT's usable sectors"
        case .overlap(let one, let other): "partitions \(one) and \(other) overlap"
        case .sharedGUID(let one, let other): "partitions \(one) and \(other) have the same GUID"
        case .brokenExtendedChain(let lba): "the chain of extended partitions is broken at sector \(lba)"
        }
    }
}
