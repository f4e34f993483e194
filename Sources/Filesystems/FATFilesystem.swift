package import DiskFormats

/// A FAT filesystem, as far as a check of an EFI system partition needs it.
///
///     sector 0   11 bytes per sector u16   13 sectors per cluster   14 reserved sectors u16   16 number of FATs
///                17 root entries u16 (0: FAT32)   19, 32 sectors u16, u32   22, 36 sectors of a FAT u16, u32
///                44 first cluster of the root u32 (FAT32)   37 / 65 state, bit 0 dirty (FAT12 and 16 / FAT32)
///     reserved   FATs   root folder (FAT12 and 16)   clusters from number 2 on
///
/// Source: Microsoft, FAT32 File System Specification 1.03. Every walk is bounded by the number of clusters.
package struct FATFilesystem<Disk: ByteSource> {
    enum Width: UInt64 {
        case twelve = 12
        case sixteen = 16
        case thirtyTwo = 32
    }

    /// A file or folder by its long name, or its short one where it has no long one.
    package struct Entry: Hashable, Sendable {
        package var name: String
        package var isFolder: Bool
        package var size: UInt32
        var cluster: UInt64
    }

    let disk: Disk
    let start: UInt64
    let clusterSize: UInt64
    let width: Width
    let table: UInt64
    let rootStart: UInt64
    let rootCount: UInt64
    let rootCluster: UInt64
    let dataStart: UInt64
    let clusters: UInt64
    let copies: UInt64
    let state: UInt8
    /// As Linux shows it: `1234-ABCD`.
    package let identifier: String
    package let label: String

    private static var mostEntries: Int { 65536 }

    /// Nil if no FAT begins at `offset` of the disk.
    package init?(_ disk: Disk, at offset: UInt64) throws {
        let boot = try disk.bytes(at: offset, count: 512)
        guard boot.number(510, 2) == 0xaa55, let sector = boot.number(11, 2), [512, 1024, 2048, 4096].contains(sector),
            let perCluster = boot.number(13, 1), perCluster > 0, perCluster & (perCluster - 1) == 0,
            let reserved = boot.number(14, 2), reserved > 0, let copies = boot.number(16, 1), (1...2).contains(copies),
            let rootEntries = boot.number(17, 2), let small = boot.number(19, 2), let large = boot.number(32, 4),
            let shortTable = boot.number(22, 2), let longTable = boot.number(36, 4), let root = boot.number(44, 4)
        else { return nil }
        // All factors have at most 32 bits, and at most one of each product has more than 16.
        let tableSectors = shortTable > 0 ? shortTable : longTable
        let rootSectors = (rootEntries * 32 + sector - 1) / sector
        let sectors = small > 0 ? small : large
        let before = reserved + copies * tableSectors + rootSectors
        guard tableSectors > 0, sectors > before else { return nil }
        self.disk = disk
        self.copies = copies
        start = offset
        clusterSize = sector * perCluster
        clusters = (sectors - before) / perCluster
        width = clusters < 4085 ? .twelve : clusters < 65525 ? .sixteen : .thirtyTwo
        table = offset &+ reserved * sector
        rootStart = offset &+ (reserved + copies * tableSectors) * sector
        rootCount = rootEntries
        rootCluster = root
        dataStart = offset &+ before * sector
        // The same fields stand 28 bytes later in FAT32.
        let extended = width == .thirtyTwo ? 64 : 36
        state = UInt8(truncatingIfNeeded: boot.number(extended + 1, 1) ?? 0)
        let digits = String(boot.number(extended + 3, 4) ?? 0, radix: 16, uppercase: true)
        let serial = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        identifier = serial.prefix(4) + "-" + serial.suffix(4)
        label = boot.text(extended + 7, 11) ?? ""
    }

    /// Whether it was not unmounted after it was written: by the boot sector's bit, as Linux sets it, or by that of the
    /// second entry of the FAT, as the specification has it.
    package func isDirty() throws -> Bool {
        if state & 1 != 0 { return true }
        let second = try entry(1)
        switch width {
        case .twelve: return false
        case .sixteen: return second & 0x8000 == 0
        case .thirtyTwo: return second & 0x0800_0000 == 0
        }
    }

    /// The file or folder at a path of names, compared without regard to case; nil if there is none.
    package func find(_ path: [String]) throws -> Entry? {
        var found: Entry?
        for name in path {
            if let found, !found.isFolder { return nil }
            let inside = try found.map { try entries(ofFolderAt: $0.cluster) } ?? root()
            guard let next = inside.first(where: { $0.name.lowercased() == name.lowercased() }) else { return nil }
            found = next
        }
        return found
    }

    private func root() throws -> [Entry] {
        guard width != .thirtyTwo else { return try entries(ofFolderAt: rootCluster) }
        return Self.entries(try disk.bytes(at: rootStart, count: Int(rootCount) * 32).content)
    }

    private func entries(ofFolderAt first: UInt64) throws -> [Entry] {
        var bytes: [UInt8] = []
        var cluster = first
        var seen: Set<UInt64> = []
        while cluster >= 2, cluster - 2 < clusters, seen.insert(cluster).inserted, bytes.count < Self.mostEntries * 32 {
            bytes += try disk.bytes(at: dataStart &+ (cluster - 2) &* clusterSize, count: Int(clusterSize)).content
            cluster = try entry(cluster)
        }
        return Self.entries(bytes)
    }

    /// The number that the FAT has for a cluster.
    func entry(_ cluster: UInt64) throws -> UInt64 {
        switch width {
        case .twelve:
            let pair = try disk.bytes(at: table &+ cluster &* 3 / 2, count: 2).number(0, 2) ?? 0
            return cluster & 1 == 0 ? pair & 0xfff : pair >> 4
        case .sixteen: return try disk.bytes(at: table &+ cluster &* 2, count: 2).number(0, 2) ?? 0
        case .thirtyTwo:
            return (try disk.bytes(at: table &+ cluster &* 4, count: 4).number(0, 4) ?? 0) & 0x0fff_ffff
        }
    }

    /// Entries of 32 bytes; those of a long name stand before the one they belong to, its last part first.
    static func entries(_ bytes: [UInt8]) -> [Entry] {
        var found: [Entry] = []
        var long: [UInt16] = []
        for at in stride(from: 0, to: bytes.count - bytes.count % 32, by: 32) {
            let field = ByteFields(Array(bytes[at..<at + 32]))
            guard let first = field.number(0, 1), first != 0, let attributes = field.number(11, 1) else { break }
            if first == 0xe5 {
                long = []
            } else if attributes == 0x0f {
                let places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]
                let units = places.compactMap { field.number($0, 2).map { UInt16(truncatingIfNeeded: $0) } }
                long = long.count < 512 ? units + long : []
            } else {
                let name = String(decoding: Array(long.prefix { $0 != 0 && $0 != 0xffff }), as: UTF16.self)
                long = []
                guard attributes & 0x08 == 0 else { continue }
                let high = field.number(20, 2) ?? 0
                found.append(
                    Entry(
                        name: name.isEmpty ? shortName(field) : name, isFolder: attributes & 0x10 != 0,
                        size: UInt32(truncatingIfNeeded: field.number(28, 4) ?? 0),
                        cluster: high << 16 | (field.number(26, 2) ?? 0)))
            }
        }
        return found
    }

    private static func shortName(_ field: ByteFields) -> String {
        let stem = field.text(0, 8) ?? ""
        let ending = field.text(8, 3) ?? ""
        return ending.isEmpty ? stem : stem + "." + ending
    }
}

extension ByteFields {
    /// A little-endian number of up to 8 bytes, nil where the field is not there.
    fileprivate func number(_ offset: Int, _ count: Int) -> UInt64? {
        let field = bytes(at: UInt64(offset), count: count).content
        guard field.count == count else { return nil }
        return field.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
