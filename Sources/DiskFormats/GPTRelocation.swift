package import SystemPackage

/// Fits a GPT to a disk whose end is elsewhere than when the table was written: the second copy of the table stands at the
/// end of the disk, and the first one says where.
///
///     LBA 0  protective MBR   1  header   2…  entries      …       entries   last LBA  header
///
/// The partitions stay where they are. The disk's bytes are hostile: this belongs into a containment.
package struct GPTRelocation {
    /// What was done.
    package enum Outcome: Hashable, Sendable {
        /// The disk has no GPT, or one with other sectors than of 512 bytes.
        case noTable
        /// The first copy is damaged, so that nothing was changed.
        case damaged(String)
        /// Nothing was to be done.
        case inPlace
        case moved
    }

    private static let sectorSize: UInt64 = 512
    private static let largestEntries: UInt64 = 1 << 20

    private let file: FileDescriptor
    private let lastLBA: UInt64
    private let header: ByteFields
    private let copy: GPTCopy
    /// Whole sectors.
    private let entries: [UInt8]

    private var entrySectors: UInt64 { UInt64(entries.count) / Self.sectorSize }

    /// Fits the table of the disk in a file to a size in bytes, which the file has to have already if it grows.
    /// Throws `FileAccessError` if the table cannot be fitted, or the file not be read or written.
    package static func fit(_ file: FileDescriptor, to size: UInt64) throws -> Outcome {
        let disk = try FileBytes(file)
        guard let header = try disk.whole(at: sectorSize, count: Int(sectorSize)), header.has("EFI PART") else {
            return .noTable
        }
        guard size / sectorSize >= 3 else { throw FileAccessError("fit the partition table", "the disk is too small") }
        let lastLBA = size / sectorSize - 1
        switch GPTCopy.header(header, at: 1) {
        case .failure(let damage): return .damaged("\(damage)")
        case .success(var copy):
            let length = UInt64(copy.entrySize) * UInt64(copy.entryCount)
            guard length <= largestEntries, copy.entriesLBA > 1, let start = product(copy.entriesLBA, sectorSize),
                let bytes = try disk.whole(at: start, count: Int(length)),
                CRC32.of(bytes.content) == copy.entriesChecksum
            else { return .damaged("the entries of the table are") }
            copy.entries = bytes
            let padding = (sectorSize - length % sectorSize) % sectorSize
            let relocation = GPTRelocation(
                file: file, lastLBA: lastLBA, header: header, copy: copy,
                entries: bytes.content + [UInt8](repeating: 0, count: Int(padding)))
            return try relocation.run(disk)
        }
    }

    private func run(_ disk: FileBytes) throws -> Outcome {
        let last = copy.partitions.map(\.lastLBA).max() ?? 0
        guard lastLBA > entrySectors + 2, last < lastLBA - entrySectors else {
            throw FileAccessError(
                "fit the partition table", "a partition ends in sector \(last), and the disk has \(lastLBA + 1)")
        }
        if copy.alternateLBA == lastLBA, let backup = try backupHeader(disk, at: lastLBA), backup.usable == copy.usable
        {
            return .inPlace
        }
        let backupEntries = lastLBA - entrySectors
        try removeOldBackup(disk, behind: last, keeping: backupEntries)
        try write(entries, at: backupEntries)
        try write(sealed(own: lastLBA, other: 1, entries: backupEntries), at: lastLBA)
        try write(sealed(own: 1, other: lastLBA, entries: copy.entriesLBA), at: 1)
        try fitProtectiveRecord(disk)
        return .moved
    }

    /// A header for this disk, with its checksum.
    private func sealed(own: UInt64, other: UInt64, entries: UInt64) -> [UInt8] {
        var bytes = header.content
        func put(_ value: UInt64, _ at: Int) {
            for index in 0..<8 { bytes[at + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
        }
        put(own, 24)
        put(other, 32)
        put(lastLBA - entrySectors - 1, 48)
        put(entries, 72)
        bytes.replaceSubrange(16..<20, with: [0, 0, 0, 0])
        // `GPTCopy.header` has compared the size with the sector's.
        let size: UInt32 = header.little(12) ?? 92
        let checksum = CRC32.of(bytes.prefix(Int(size)))
        for index in 0..<4 { bytes[16 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
        return bytes
    }

    private func backupHeader(_ disk: FileBytes, at lba: UInt64) throws -> GPTCopy? {
        guard let offset = product(lba, Self.sectorSize),
            let sector = try disk.whole(at: offset, count: Int(Self.sectorSize)), sector.has("EFI PART"),
            case .success(let found) = GPTCopy.header(sector, at: lba)
        else { return nil }
        return found
    }

    /// A second table in the midst of the disk would one day be taken for this one's.
    private func removeOldBackup(_ disk: FileBytes, behind last: UInt64, keeping backupEntries: UInt64) throws {
        let old = copy.alternateLBA
        guard old > last, let found = try backupHeader(disk, at: old) else { return }
        let zeroes = [UInt8](repeating: 0, count: Int(Self.sectorSize))
        try write(zeroes, at: old)
        guard found.entriesLBA > last, found.entriesLBA < old, old - found.entriesLBA <= entrySectors else { return }
        for lba in found.entriesLBA..<old where lba < backupEntries { try write(zeroes, at: lba) }
    }

    /// The protective entry of the MBR covers the whole disk, as far as its field goes.
    private func fitProtectiveRecord(_ disk: FileBytes) throws {
        guard let sector = try disk.whole(at: 0, count: Int(Self.sectorSize)), sector.has([0x55, 0xaa], at: 510) else {
            return
        }
        var bytes = sector.content
        for entry in 0..<4 {
            let at = 446 + 16 * entry
            guard bytes[at + 4] == 0xee, sector.little(at + 8, as: UInt32.self) == 1 else { continue }
            let size = UInt32(min(lastLBA, UInt64(UInt32.max)))
            for index in 0..<4 { bytes[at + 12 + index] = UInt8(truncatingIfNeeded: size >> (8 * UInt32(index))) }
            try write(bytes, at: 0)
            return
        }
    }

    private func write(_ bytes: [UInt8], at lba: UInt64) throws {
        guard let offset = product(lba, Self.sectorSize).flatMap({ Int64(exactly: $0) }) else {
            throw FileAccessError("write", "the place is too far away")
        }
        try bytes.withUnsafeBytes { try file.writeFully(at: offset, $0) }
    }
}
