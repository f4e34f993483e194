import SystemPackage

/// A qcow2 file with compressed clusters as it is written.
///
///     header │ data of 2 GiB of the disk │ their L2 table │ … │ L1 table │ refcount blocks │ refcount table
///
/// One L2 table is in memory at a time, and the header is written last: what is not finished is no qcow2 file. Numbers
/// are big-endian. Source: QEMU, docs/interop/qcow2.txt.
struct QCOW2File {
    private let target: FileDescriptor
    private let layout: QCOW2Layout
    private var allocator: QCOW2Allocator
    private var l1: [UInt64]
    private var l2: [UInt64]
    /// The entry of the L1 table to which `l2` belongs.
    private var current: Int?

    private static let isCompressed: UInt64 = 1 << 62

    init(_ target: FileDescriptor, layout: QCOW2Layout) {
        self.target = target
        self.layout = layout
        l1 = Array(repeating: 0, count: layout.l1Entries)
        l2 = Array(repeating: 0, count: layout.l2Entries)
        allocator = QCOW2Allocator(clusterSize: layout.clusterSize)
        _ = allocator.clusters(1)
    }

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
            l2[entry] = place | QCOW2Layout.isOnlyUse
        case .compressed(let bytes):
            let place = allocator.bytes(bytes.count)
            try target.writeFully(at: Int64(place), bytes)
            // Sectors of 512 bytes that it touches, beyond the first.
            let sectors = (place % 512 + UInt64(bytes.count) - 1) / 512
            l2[entry] = Self.isCompressed | sectors << (70 - layout.clusterBits) | place
        }
    }

    /// Writes what is left; then the file is complete.
    mutating func finish() throws {
        try finishL2()
        let l1Place = allocator.clusters(layout.clusters(for: l1.count * 8))
        try write(l1, at: l1Place)
        let (tablePlace, tableClusters) = try writeReferences()
        try target.setSize(Int64(allocator.end))
        let header = layout.header(l1: l1Place, references: tablePlace, clusters: tableClusters)
        try header.withUnsafeBytes { try target.writeFully(at: 0, $0) }
    }

    private mutating func finishL2() throws {
        guard let table = current else { return }
        let place = allocator.clusters(1)
        try write(l2, at: place)
        l1[table] = place | QCOW2Layout.isOnlyUse
        for entry in l2.indices { l2[entry] = 0 }
        current = nil
    }

    /// Returns where the refcount table is, and its clusters.
    private mutating func writeReferences() throws -> (UInt64, Int) {
        let (blocks, table) = layout.references(for: allocator.references.count)
        let blocksPlace = allocator.clusters(blocks)
        let tablePlace = allocator.clusters(table)
        try write(allocator.references, at: blocksPlace)
        try write((0..<blocks).map { blocksPlace + UInt64($0) * layout.clusterSize }, at: tablePlace)
        return (tablePlace, table)
    }

    private func write(_ numbers: [some FixedWidthInteger], at place: UInt64) throws {
        try numbers.map(\.bigEndian).withUnsafeBytes { try target.writeFully(at: Int64(place), $0) }
    }
}
