/// Reads both copies of a GPT and makes a table of the sound ones.
struct GPTReader<Disk: ByteSource> {
    private let disk: Disk
    private let sectorSize: UInt64
    private let lastLBA: UInt64
    private let mbr: MasterBootRecord

    /// More than any tool makes: 8192 entries of the usual size.
    private static var entryBytesLimit: UInt64 { 1 << 20 }

    /// Nil if no copy of a GPT stands where it would with this sector size.
    init?(_ disk: Disk, sectorSize: UInt64, mbr: MasterBootRecord) throws {
        guard disk.size / sectorSize >= 3 else { return nil }
        lastLBA = disk.size / sectorSize - 1
        let signature = Array("EFI PART".utf8)
        guard
            try disk.bytes(at: sectorSize, count: 8).has(signature)
                || disk.bytes(at: lastLBA * sectorSize, count: 8).has(signature)
        else { return nil }
        self.disk = disk
        self.sectorSize = sectorSize
        self.mbr = mbr
    }

    func table() throws -> PartitionTable {
        let primary = try copy(at: 1)
        var backupLBA = lastLBA
        if case .success(let good) = primary { backupLBA = good.alternateLBA }
        let backup = try copy(at: backupLBA)
        var problems: [PartitionTableProblem] = []
        if backupLBA != lastLBA { problems.append(.backupMisplaced(lba: backupLBA, last: lastLBA)) }
        if mbr.isHybrid { problems.append(.hybridMBR) }
        let chosen: GPTCopy
        switch (primary, backup) {
        case (.success(let one), .success(let other)):
            chosen = one
            if !one.agrees(with: other) { problems.append(.copiesDiffer) }
        case (.success(let one), .failure(let damage)):
            chosen = one
            problems.append(.backupDamaged(damage))
        case (.failure(let damage), .success(let other)):
            chosen = other
            problems.append(.primaryDamaged(damage))
        case (.failure(let damage), .failure(let other)):
            throw PartitionTableError.gptDamaged(primary: damage, backup: other)
        }
        let partitions = chosen.partitions
        problems += PartitionChecks.problems(of: partitions, diskSectors: lastLBA + 1)
        problems += Self.problems(of: partitions, usable: chosen.usable)
        return PartitionTable(
            scheme: .gpt(disk: chosen.disk, usable: chosen.usable), sectorSize: sectorSize, partitions: partitions,
            problems: problems)
    }

    private static func problems(
        of partitions: [Partition], usable: ClosedRange<UInt64>
    ) -> [PartitionTableProblem] {
        var owners: [GUID: Int] = [:]
        var problems: [PartitionTableProblem] = []
        for partition in partitions {
            if !usable.contains(partition.firstLBA) || !usable.contains(partition.lastLBA) {
                problems.append(.outsideUsableRange(partition.number))
            }
            guard case .gpt(_, let unique, _, _) = partition.kind else { continue }
            if let owner = owners.updateValue(partition.number, forKey: unique) {
                problems.append(.sharedGUID(owner, partition.number))
            }
        }
        return problems
    }

    /// Reads one copy. Throws only if reading the disk fails.
    private func copy(at lba: UInt64) throws -> Result<GPTCopy, GPTDamage> {
        guard let offset = product(lba, sectorSize), let sector = try disk.whole(at: offset, count: Int(sectorSize)),
            sector.has("EFI PART")
        else { return .failure(.notThere) }
        switch GPTCopy.header(sector, at: lba) {
        case .failure(let damage): return .failure(damage)
        case .success(var copy):
            let length = UInt64(copy.entrySize) * UInt64(copy.entryCount)
            guard length <= Self.entryBytesLimit else {
                return .failure(.badEntryLayout(size: copy.entrySize, count: copy.entryCount))
            }
            guard let start = product(copy.entriesLBA, sectorSize), copy.entriesLBA > 0,
                let entries = try disk.whole(at: start, count: Int(length))
            else { return .failure(.entriesOutsideDisk) }
            guard CRC32.of(entries.content) == copy.entriesChecksum else { return .failure(.entriesChecksum) }
            copy.entries = entries
            return .success(copy)
        }
    }
}

/// One copy of a GPT whose checksums are right.
///
///     0  "EFI PART"   8  revision   12  header size   16  CRC of the header   24  own LBA   32  other copy's LBA
///     40  first, 48  last usable LBA   56  disk GUID   72  LBA, 80  number, 84  size and 88  CRC of the entries
struct GPTCopy {
    let alternateLBA: UInt64
    let usable: ClosedRange<UInt64>
    let disk: GUID
    let entriesLBA: UInt64
    let entryCount: UInt32
    let entrySize: UInt32
    let entriesChecksum: UInt32
    var entries = ByteFields([])

    /// The header in a sector that begins with its signature; the entries are still to be read.
    static func header(_ sector: ByteFields, at lba: UInt64) -> Result<GPTCopy, GPTDamage> {
        guard let revision: UInt32 = sector.little(8), let size: UInt32 = sector.little(12),
            let checksum: UInt32 = sector.little(16), let ownLBA: UInt64 = sector.little(24),
            let alternate: UInt64 = sector.little(32), let first: UInt64 = sector.little(40),
            let last: UInt64 = sector.little(48), let guid = sector.slice(56, 16).flatMap({ GUID(onDisk: $0) }),
            let entriesLBA: UInt64 = sector.little(72), let count: UInt32 = sector.little(80),
            let entrySize: UInt32 = sector.little(84), let entriesChecksum: UInt32 = sector.little(88)
        else { return .failure(.notThere) }
        guard revision >> 16 == 1 else { return .failure(.unknownRevision(revision)) }
        guard size >= 92, size <= sector.count else { return .failure(.badHeaderSize(size)) }
        var covered = Array(sector.content.prefix(Int(size)))
        covered.replaceSubrange(16..<20, with: [0, 0, 0, 0])
        guard CRC32.of(covered) == checksum else { return .failure(.headerChecksum) }
        guard ownLBA == lba else { return .failure(.wrongPlace(ownLBA)) }
        guard entrySize >= 128, entrySize % 8 == 0, count > 0 else {
            return .failure(.badEntryLayout(size: entrySize, count: count))
        }
        guard first <= last else { return .failure(.badUsableRange(first: first, last: last)) }
        return .success(
            GPTCopy(
                alternateLBA: alternate, usable: first...last, disk: guid, entriesLBA: entriesLBA, entryCount: count,
                entrySize: entrySize, entriesChecksum: entriesChecksum))
    }

    func agrees(with other: GPTCopy) -> Bool {
        usable == other.usable && disk == other.disk && entrySize == other.entrySize && entries == other.entries
    }

    /// The used entries: type GUID, unique GUID, first and last LBA, attributes, 36 units of UTF-16.
    var partitions: [Partition] {
        (0..<Int(entryCount)).compactMap { index in
            let at = index * Int(entrySize)
            guard let type = entries.slice(at, 16).flatMap({ GUID(onDisk: $0) }), !type.isZero,
                let unique = entries.slice(at + 16, 16).flatMap({ GUID(onDisk: $0) }),
                let first: UInt64 = entries.little(at + 32), let last: UInt64 = entries.little(at + 40),
                let attributes: UInt64 = entries.little(at + 48)
            else { return nil }
            let units = (0..<36).compactMap { entries.little(at + 56 + 2 * $0, as: UInt16.self) }
            let name = String(decoding: Array(units.prefix { $0 != 0 }), as: UTF16.self)
            return Partition(
                number: index + 1, firstLBA: first, lastLBA: last,
                kind: .gpt(type: type, unique: unique, name: name, attributes: attributes))
        }
    }
}
