import SystemPackage

/// A qcow2 file as it is written.
///
///     header │ data of 2 GiB of the disk │ their L2 table │ … │ L1 table │ refcount blocks │ refcount table
///
/// One L2 table is in memory at a time, and the header is written last: what is not finished is no qcow2 file. Numbers
/// are big-endian. Source: QEMU, docs/interop/qcow2.txt.
struct QCOW2File {
    private let target: FileDescriptor
    private let virtualSize: UInt64
    private let clusterBits: UInt64
    private let compression: ClusterCompression
    private var allocator: QCOW2Allocator
    private var l1: [UInt64]
    private var l2: [UInt64]
    /// The entry of the L1 table to which `l2` belongs.
    private var current: Int?

    /// What refers to a table or a cluster that nobody else uses.
    private static let isOnlyUse: UInt64 = 1 << 63
    private static let isCompressed: UInt64 = 1 << 62
    /// QEMU takes no larger L1 table: 32 MiB.
    private static let mostL1Entries: UInt64 = 4 << 20

    /// - Parameter size: of the disk, in bytes; rounded up to sectors of 512, of which QEMU wants a whole number.
    init(_ target: FileDescriptor, size: UInt64, clusterBits: Int, compression: ClusterCompression) throws {
        self.target = target
        self.clusterBits = UInt64(clusterBits)
        self.compression = compression
        virtualSize = (size + 511) / 512 * 512
        let clusterSize: UInt64 = 1 << clusterBits
        let covered = clusterSize * (clusterSize / 8)
        let entries = max(1, (virtualSize + covered - 1) / covered)
        guard entries <= Self.mostL1Entries else {
            throw FileAccessError("write a qcow2 file", "a disk of \(size) bytes is too large for it")
        }
        l1 = Array(repeating: 0, count: Int(entries))
        l2 = Array(repeating: 0, count: Int(clusterSize / 8))
        allocator = QCOW2Allocator(clusterSize: clusterSize)
        _ = allocator.clusters(1)
    }

    private var clusterSize: UInt64 { 1 << clusterBits }

    /// Adds the next cluster of the disk; those left out read as zero.
    mutating func add(_ content: ClusterPipeline.Content, at cluster: UInt64) throws {
        if case .zeroes = content { return }
        let (table, entry) = Int(cluster).quotientAndRemainder(dividingBy: l2.count)
        if table != current { try finishL2() }
        current = table
        switch content {
        case .zeroes: break
        case .plain(let bytes):
            let place = allocator.clusters(1)
            try target.writeFully(at: Int64(place), bytes)
            l2[entry] = place | Self.isOnlyUse
        case .compressed(let bytes):
            let place = allocator.bytes(bytes.count)
            try target.writeFully(at: Int64(place), bytes)
            // Sectors of 512 bytes that it touches, beyond the first.
            let sectors = (place % 512 + UInt64(bytes.count) - 1) / 512
            l2[entry] = Self.isCompressed | sectors << (70 - clusterBits) | place
        }
    }

    /// Writes what is left; then the file is complete.
    mutating func finish() throws {
        try finishL2()
        let l1Place = allocator.clusters(clusters(for: l1.count * 8))
        try write(l1, at: l1Place)
        let (tablePlace, tableClusters) = try writeReferences()
        try target.setSize(Int64(allocator.end))
        let header = header(l1: l1Place, references: tablePlace, clusters: tableClusters)
        try header.withUnsafeBytes { try target.writeFully(at: 0, $0) }
    }

    private mutating func finishL2() throws {
        guard let table = current else { return }
        let place = allocator.clusters(1)
        try write(l2, at: place)
        l1[table] = place | Self.isOnlyUse
        for entry in l2.indices { l2[entry] = 0 }
        current = nil
    }

    /// Returns where the refcount table is, and its clusters.
    private mutating func writeReferences() throws -> (UInt64, Int) {
        let used = allocator.references.count
        let entriesOfBlock = Int(clusterSize / 2)
        var blocks = 0
        var table = 0
        // The blocks count themselves and the table too.
        while blocks * entriesOfBlock < used + blocks + table || table < clusters(for: blocks * 8) {
            blocks = (used + blocks + table + entriesOfBlock - 1) / entriesOfBlock
            table = clusters(for: blocks * 8)
        }
        let blocksPlace = allocator.clusters(blocks)
        let tablePlace = allocator.clusters(table)
        try write(allocator.references, at: blocksPlace)
        try write((0..<blocks).map { blocksPlace + UInt64($0) * clusterSize }, at: tablePlace)
        return (tablePlace, table)
    }

    private func clusters(for bytes: Int) -> Int { (bytes + Int(clusterSize) - 1) / Int(clusterSize) }

    private func write(_ numbers: [some FixedWidthInteger], at place: UInt64) throws {
        try numbers.map(\.bigEndian).withUnsafeBytes { try target.writeFully(at: Int64(place), $0) }
    }

    /// The fields as `QCOW2Header` lists them, and the end of the header extensions, of which there are none.
    private func header(l1 l1Place: UInt64, references: UInt64, clusters: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x51, 0x46, 0x49, 0xfb]
        func add(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.bigEndian) { bytes += $0 } }
        add(3 as UInt32)
        add(0 as UInt64)  // The place and the length of the backing file's name.
        add(0 as UInt32)
        add(UInt32(clusterBits))
        add(virtualSize)
        add(0 as UInt32)  // Encryption.
        add(UInt32(l1.count))
        add(l1Place)
        add(references)
        add(UInt32(clusters))
        add(0 as UInt32)  // Snapshots and their table.
        add(0 as UInt64)
        add(compression == .zstd ? 8 : 0 as UInt64)  // Incompatible features: bit 3 says that it is not zlib.
        add(0 as UInt64)
        add(0 as UInt64)
        add(4 as UInt32)  // Refcounts of 2^4 bits.
        add(112 as UInt32)
        add(compression == .zstd ? 1 : 0 as UInt8)
        return bytes + [UInt8](repeating: 0, count: 120 - bytes.count)
    }
}
