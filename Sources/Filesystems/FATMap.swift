package import DiskFormats

/// What the bytes of a FAT filesystem are part of.
package struct FATMap {
    package enum Area: Hashable, Sendable {
        /// 0 is the boot sector, in FAT32 1 the information sector and 6 and 7 their copies.
        case reserved(sector: UInt64)
        /// A copy of the table, from 1.
        case table(Int)
        /// The root folder of FAT12 and FAT16.
        case root
        case cluster(UInt64)
        /// Behind the last cluster.
        case rest
    }

    /// The file or folder that has a cluster.
    package struct Owner: Hashable, Sendable {
        package var path: BytePath
        package var isFolder: Bool
        /// The place of the cluster in it, in bytes.
        package var offset: UInt64
    }

    package let isFAT32: Bool
    package let clusterSize: UInt64
    private let reservedSize: UInt64
    private let tableSize: UInt64
    private let rootStart: UInt64
    private let dataStart: UInt64
    private let clusters: UInt64
    package private(set) var owners: [UInt64: Owner] = [:]

    /// More clusters of files than an EFI system partition has.
    private static var mostClusters: Int { 1 << 20 }

    /// In bytes: what the specification allows.
    private static var largestFolder: Int { 65536 * 32 }

    /// Reads all folders. Throws only if the disk cannot be read.
    package init<Disk: ByteSource>(_ fat: FATFilesystem<Disk>) throws {
        isFAT32 = fat.width == .thirtyTwo
        clusterSize = fat.clusterSize
        reservedSize = fat.table &- fat.start
        rootStart = fat.rootStart &- fat.start
        dataStart = fat.dataStart &- fat.start
        tableSize = max(1, (rootStart &- reservedSize) / fat.copies)
        clusters = fat.clusters
        var folders: [(path: BytePath, bytes: [UInt8])] = []
        if isFAT32 {
            let bytes = try claim(fat, fat.rootCluster, BytePath([]), isFolder: true)
            folders.append((BytePath([]), bytes))
        } else {
            folders.append(
                (BytePath([]), try fat.disk.bytes(at: fat.rootStart, count: Int(fat.rootCount) * 32).content))
        }
        while let folder = folders.popLast() {
            for entry in FATFilesystem<Disk>.entries(folder.bytes) where entry.name != "." && entry.name != ".." {
                let path = folder.path.appending(Array(entry.name.utf8))
                let bytes = try claim(fat, entry.cluster, path, isFolder: entry.isFolder)
                if entry.isFolder { folders.append((path, bytes)) }
            }
        }
    }

    /// Remembers who has the clusters of a chain. Returns the bytes of a folder. A cluster has one owner, so all chains
    /// together have an end.
    private mutating func claim<Disk: ByteSource>(
        _ fat: FATFilesystem<Disk>, _ first: UInt64, _ path: BytePath, isFolder: Bool
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var cluster = first
        var offset: UInt64 = 0
        while cluster >= 2, cluster - 2 < clusters, owners[cluster] == nil, owners.count < Self.mostClusters {
            owners[cluster] = Owner(path: path, isFolder: isFolder, offset: offset)
            if isFolder, bytes.count < Self.largestFolder {
                bytes += try fat.disk.bytes(
                    at: fat.dataStart &+ (cluster - 2) &* clusterSize, count: Int(clusterSize)
                ).content
            }
            offset += clusterSize
            cluster = try fat.entry(cluster)
        }
        return bytes
    }

    /// What a byte of the filesystem is part of, and the bytes of that part.
    package func area(at offset: UInt64) -> (area: Area, bytes: Range<UInt64>) {
        if offset < reservedSize {
            let sector = offset / 512
            return (.reserved(sector: sector), sector * 512..<min(sector * 512 + 512, reservedSize))
        }
        if offset < rootStart {
            let copy = (offset - reservedSize) / tableSize
            let start = reservedSize + copy * tableSize
            return (.table(Int(copy) + 1), start..<max(start + tableSize, offset + 1))
        }
        if offset < dataStart { return (.root, rootStart..<dataStart) }
        let cluster = (offset - dataStart) / clusterSize
        guard cluster < clusters else { return (.rest, offset / 512 * 512..<offset / 512 * 512 + 512) }
        let start = dataStart + cluster * clusterSize
        return (.cluster(cluster + 2), start..<start + clusterSize)
    }
}
