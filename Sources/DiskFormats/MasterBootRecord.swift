/// The first sector of a disk, or of an extended partition.
///
///     0x000  boot code          0x1b8  disk signature, u32 LE
///     0x1be  4 entries: status, CHS (3), type, CHS (3), first sector u32 LE, sectors u32 LE
///     0x1fe  55 AA
struct MasterBootRecord {
    struct Entry {
        let active: Bool
        let type: UInt8
        let first: UInt64
        let count: UInt64

        var isEmpty: Bool { type == 0 || count == 0 }
        var isExtended: Bool { [0x05, 0x0f, 0x85].contains(type) }
    }

    let signature: UInt32
    let entries: [Entry]

    /// Nil if it is none: the signature is not there, or an entry's status is one that no tool writes, as in the boot
    /// sector of a filesystem.
    init?(_ sector: ByteFields) {
        guard sector.has([0x55, 0xaa], at: 0x1fe), let signature = sector.little(0x1b8, as: UInt32.self) else {
            return nil
        }
        var entries: [Entry] = []
        for at in stride(from: 0x1be, to: 0x1fe, by: 16) {
            guard let status = sector.little(at, as: UInt8.self), status & 0x7f == 0,
                let type = sector.little(at + 4, as: UInt8.self),
                let first = sector.little(at + 8, as: UInt32.self),
                let count = sector.little(at + 12, as: UInt32.self)
            else { return nil }
            entries.append(Entry(active: status == 0x80, type: type, first: UInt64(first), count: UInt64(count)))
        }
        self.signature = signature
        self.entries = entries
    }

    /// Whether an entry says that there is a GPT.
    var isProtective: Bool { entries.contains { $0.type == 0xee } }

    /// Whether it has entries beside the one that says that there is a GPT.
    var isHybrid: Bool { entries.contains { !$0.isEmpty && $0.type != 0xee } }

    /// The table of a disk that has no GPT. LBAs are in sectors of 512 bytes.
    func table(of disk: some ByteSource) throws -> PartitionTable {
        var problems: [PartitionTableProblem] = []
        if try disk.bytes(at: 512, count: 8).has("EFI PART") { problems.append(.unprotectedGPT) }
        var partitions = entries.enumerated().filter { !$1.isEmpty && !$1.isExtended }.map {
            Self.partition(number: $0 + 1, $1, from: 0)
        }
        for container in entries where container.isExtended && !container.isEmpty {
            var chain = ExtendedChain(first: container.first, number: max(5, (partitions.last?.number ?? 0) + 1))
            try chain.follow(in: disk)
            partitions += chain.partitions
            problems += chain.problems
        }
        problems += PartitionChecks.problems(of: partitions, diskSectors: disk.size / 512)
        return PartitionTable(
            scheme: .mbr(signature: signature), sectorSize: 512, partitions: partitions, problems: problems)
    }

    /// The sum stays below 2^34: all three numbers are of 32 bits.
    static func partition(number: Int, _ entry: Entry, from base: UInt64) -> Partition {
        Partition(
            number: number, firstLBA: base + entry.first, lastLBA: base + entry.first + entry.count - 1,
            kind: .mbr(type: entry.type, active: entry.active))
    }
}

/// The logical partitions of one extended partition: each has a boot record whose first entry is the partition, from
/// that record on, and whose second entry leads to the next record, from the start of the extended partition on.
private struct ExtendedChain {
    let first: UInt64
    var number: Int
    var partitions: [Partition] = []
    var problems: [PartitionTableProblem] = []

    /// More than any tool writes; ends a chain that is long by malice.
    private static let limit = 256

    init(first: UInt64, number: Int) {
        self.first = first
        self.number = number
    }

    mutating func follow(in disk: some ByteSource) throws {
        var seen: Set<UInt64> = []
        var at = first
        while true {
            guard seen.count < Self.limit, seen.insert(at).inserted, let offset = product(at, 512),
                let sector = try disk.whole(at: offset, count: 512), let record = MasterBootRecord(sector)
            else {
                problems.append(.brokenExtendedChain(lba: at))
                return
            }
            for entry in record.entries where !entry.isEmpty && !entry.isExtended {
                partitions.append(MasterBootRecord.partition(number: number, entry, from: at))
                number += 1
            }
            guard let next = record.entries.first(where: { $0.isExtended && !$0.isEmpty }) else { return }
            at = first + next.first
        }
    }
}

/// What can be wrong with the places of partitions.
enum PartitionChecks {
    static func problems(of partitions: [Partition], diskSectors: UInt64) -> [PartitionTableProblem] {
        var problems: [PartitionTableProblem] = []
        for partition in partitions {
            if partition.firstLBA > partition.lastLBA { problems.append(.backwards(partition.number)) }
            if partition.lastLBA >= diskSectors { problems.append(.outsideDisk(partition.number)) }
        }
        let sorted = partitions.filter { $0.firstLBA <= $0.lastLBA }.sorted { $0.firstLBA < $1.firstLBA }
        guard var widest = sorted.first else { return problems }
        for partition in sorted.dropFirst() {
            if partition.firstLBA <= widest.lastLBA {
                problems.append(
                    .overlap(min(widest.number, partition.number), max(widest.number, partition.number)))
            }
            if partition.lastLBA > widest.lastLBA { widest = partition }
        }
        return problems
    }
}
