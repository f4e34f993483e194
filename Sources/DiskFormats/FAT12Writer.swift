/// A small FAT volume of files in its root folder, without a partition table: a seed of cloud-init on a disk.
///
///     sector 0     boot sector                    sector 1…    two tables of 12-bit entries
///     then         root folder, 512 entries       then         clusters, the files one after another
///
/// Each file has a name of its own length (VFAT) before the short one. Sources: Microsoft, FAT: General Overview of
/// On-Disk Format (FAT32 File System Specification, 1.03). Times are 1980, the volume's number is fixed: the same files
/// are the same image.
package struct FAT12Writer: Sendable {
    private static let sector = 512
    private static let rootEntries = 512
    /// A volume with more is read as FAT16.
    private static let mostClusters = 4084
    private static let leastClusters = 512
    private static let volumeNumber: UInt32 = 0x494d_4746

    private let label: String
    private var files: [(name: String, content: [UInt8])] = []

    /// - Parameter label: of the volume, up to 11 characters of upper-case ASCII: `CIDATA`.
    package init(label: String) { self.label = label }

    /// Adds a file: `user-data`. Names have up to 100 bytes of ASCII. Throws `FileAccessError` for what the volume
    /// cannot hold.
    package mutating func add(_ name: String, _ content: [UInt8]) throws {
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"*/:<>?\\|".utf8.contains($0) }
        guard isPlain, !name.isEmpty, name.utf8.count <= 100, name.last != ".", files.count < 20,
            content.count <= 16 << 20
        else { throw FileAccessError("add '\(name)' to a volume", "its name or its size is not one that fits") }
        guard !files.contains(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw FileAccessError("add '\(name)' to a volume", "it is there already")
        }
        files.append((name, content))
    }

    /// The complete volume. Throws `FileAccessError` if all the files together are too much for it.
    package func bytes() throws -> [UInt8] {
        var perCluster = 1
        while clusters(perCluster) > Self.mostClusters, perCluster < 128 { perCluster *= 2 }
        let needed = clusters(perCluster)
        guard needed <= Self.mostClusters else { throw FileAccessError("make a volume", "the files are too large") }
        let count = max(needed, Self.leastClusters)
        let tableSectors = Self.sectors((count + 2) * 3 / 2 + 1)
        let first = 1 + 2 * tableSectors + Self.rootEntries * 32 / Self.sector
        let total = first + count * perCluster

        var entries: [UInt16] = [0xff8, 0xfff]
        var folder = Self.labelEntry(label)
        var data: [UInt8] = []
        for (index, file) in files.enumerated() {
            let own = Self.clusters(file.content.count, perCluster)
            let start = own == 0 ? 0 : entries.count
            for next in 0..<own { entries.append(next == own - 1 ? 0xfff : UInt16(start + next + 1)) }
            folder += Self.entries(of: file.name, number: index + 1, start: start, size: file.content.count)
            data += file.content
            data += [UInt8](repeating: 0, count: own * perCluster * Self.sector - file.content.count)
        }
        let table = Self.padded(Self.packed(entries), to: tableSectors * Self.sector)
        var bytes = bootSector(total: total, perCluster: perCluster, tableSectors: tableSectors)
        bytes += table + table + Self.padded(folder, to: Self.rootEntries * 32) + data
        return Self.padded(bytes, to: total * Self.sector)
    }

    private func clusters(_ perCluster: Int) -> Int {
        files.reduce(0) { $0 + Self.clusters($1.content.count, perCluster) }
    }

    private static func clusters(_ size: Int, _ perCluster: Int) -> Int {
        (size + perCluster * sector - 1) / (perCluster * sector)
    }

    private func bootSector(total: Int, perCluster: Int, tableSectors: Int) -> [UInt8] {
        var bytes: [UInt8] = [0xeb, 0x3c, 0x90] + Array("IMGFACT ".utf8)
        bytes += Self.little(Self.sector, 2) + [UInt8(perCluster)] + Self.little(1, 2) + [2]
        bytes += Self.little(Self.rootEntries, 2) + Self.little(total < 0x10000 ? total : 0, 2) + [0xf8]
        bytes += Self.little(tableSectors, 2) + Self.little(32, 2) + Self.little(64, 2) + Self.little(0, 4)
        bytes += Self.little(total < 0x10000 ? 0 : total, 4) + [0x80, 0, 0x29]
        bytes += Self.little(Int(Self.volumeNumber), 4) + Self.blanks(label, 11) + Self.blanks("FAT12", 8)
        return Self.padded(bytes, to: 510) + [0x55, 0xaa]
    }

    private static func labelEntry(_ label: String) -> [UInt8] { shortEntry(blanks(label, 11), 0x08, 0, 0) }

    /// The long name in pieces of 13 units, the last piece first, and the entry that all systems know.
    private static func entries(of name: String, number: Int, start: Int, size: Int) -> [UInt8] {
        let short = blanks("SEED~\(number)", 11)
        let sum = short.reduce(UInt8(0)) { ($0 >> 1 | $0 << 7) &+ $1 }
        var units = Array(name.utf16)
        let pieces = (units.count + 12) / 13
        if units.count % 13 != 0 {
            units.append(0)
            units += [UInt16](repeating: 0xffff, count: pieces * 13 - units.count)
        }
        var bytes: [UInt8] = []
        for piece in (0..<pieces).reversed() {
            let text = units[piece * 13..<piece * 13 + 13].flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
            bytes += [UInt8(piece + 1) | (piece == pieces - 1 ? 0x40 : 0)] + text[0..<10] + [0x0f, 0, sum]
            bytes += text[10..<22] + [0, 0] + text[22..<26]
        }
        return bytes + shortEntry(short, 0x20, start, size)
    }

    private static func shortEntry(_ name: [UInt8], _ attributes: UInt8, _ start: Int, _ size: Int) -> [UInt8] {
        // 1980-01-01, which is where FAT's time begins.
        let date: [UInt8] = [0x21, 0]
        return name + [attributes, 0, 0, 0, 0] + date + date + [0, 0, 0, 0] + date + little(start, 2) + little(size, 4)
    }

    /// Entries of 12 bits: two in three bytes.
    private static func packed(_ entries: [UInt16]) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: entries.count, by: 2) {
            let low = entries[index]
            let high = index + 1 < entries.count ? entries[index + 1] : 0
            bytes += [UInt8(low & 0xff), UInt8(low >> 8 | (high & 0xf) << 4), UInt8(high >> 4)]
        }
        return bytes
    }

    private static func blanks(_ text: String, _ count: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(count))
        return bytes + [UInt8](repeating: 0x20, count: count - bytes.count)
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func sectors(_ count: Int) -> Int { (count + sector - 1) / sector }

    private static func padded(_ bytes: [UInt8], to count: Int) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: max(0, count - bytes.count))
    }
}
