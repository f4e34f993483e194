import Crypto
import SystemPackage

/// A qcow2 file whose clusters are not compressed: which of them hold data tells where everything is, so the file is written
/// from its beginning to its end, and its digest is known when it is complete.
///
///     header │ L1 table │ refcount table │ refcount blocks │ L2 tables │ data, in the disk's order
///
/// The header is hashed first and written last: what is not finished is no qcow2 file.
struct QCOW2PlainFile {
    private let layout: QCOW2Layout
    private let clusters: [UInt64]
    private let l1Place: UInt64
    private let referencesPlace: UInt64
    private let referenceClusters: Int
    private let blocksPlace: UInt64
    private let blockClusters: Int
    private let l2Place: UInt64
    private let dataPlace: UInt64

    /// - Parameter clusters: the numbers of those that hold data, in order.
    init(_ layout: QCOW2Layout, clusters: [UInt64]) {
        self.layout = layout
        self.clusters = clusters
        let l1Clusters = layout.clusters(for: layout.l1Entries * 8)
        var tables = 0
        var last: UInt64?
        for table in clusters.lazy.map({ $0 / UInt64(layout.l2Entries) }) where table != last {
            tables += 1
            last = table
        }
        let others = 1 + l1Clusters + tables + clusters.count
        (blockClusters, referenceClusters) = layout.references(for: others)
        l1Place = layout.clusterSize
        referencesPlace = l1Place + UInt64(l1Clusters) * layout.clusterSize
        blocksPlace = referencesPlace + UInt64(referenceClusters) * layout.clusterSize
        l2Place = blocksPlace + UInt64(blockClusters) * layout.clusterSize
        dataPlace = l2Place + UInt64(tables) * layout.clusterSize
    }

    private var end: UInt64 { dataPlace + UInt64(clusters.count) * layout.clusterSize }

    /// Writes the file and returns its SHA-256 in hexadecimal digits. Throws `StreamedCopy.FoundZeroes` if one of the
    /// clusters holds nothing; `step` is called with bytes of the disk.
    func write(_ source: FileDescriptor, to target: FileDescriptor, step: (Int64) throws -> Void) throws -> String {
        try target.setSize(0)
        try target.setSize(Int64(end))
        let size = try source.logicalSize()
        let clusterSize = Int64(layout.clusterSize)
        let start = beginning()
        let digest = RunningDigest()
        start.withUnsafeBytes { digest.add($0) }
        let pieces = clusters.enumerated().map { index, cluster in
            let first = Int64(cluster) * clusterSize
            return StreamedCopy.Piece(
                first..<min(first + clusterSize, size), to: Int64(dataPlace) + Int64(index) * clusterSize,
                count: clusterSize)
        }
        try StreamedCopy(pieces, zeroes: .refuse(block: Int(clusterSize))) { digest.add($0) }
            .run(from: source, to: target, step: step)
        try start.withUnsafeBytes { bytes in
            let tables = UnsafeRawBufferPointer(rebasing: bytes[Int(clusterSize)...])
            try ZeroRuns.forEach(in: tables) { run, zero in
                guard !zero else { return }
                try target.writeFully(
                    at: clusterSize + Int64(run.lowerBound), UnsafeRawBufferPointer(rebasing: tables[run]))
            }
            let header = min(bytes.count, ZeroRuns.blockSize, Int(clusterSize))
            try target.writeFully(at: 0, UnsafeRawBufferPointer(rebasing: bytes[..<header]))
        }
        return digest.hexadecimal()
    }

    /// All that is in front of the data.
    private func beginning() -> [UInt8] {
        var bytes = layout.header(l1: l1Place, references: referencesPlace, clusters: referenceClusters)
        bytes += [UInt8](repeating: 0, count: Int(dataPlace) - bytes.count)
        bytes.withUnsafeMutableBytes { bytes in
            func put(_ number: some FixedWidthInteger, at place: UInt64) {
                bytes.storeBytes(of: number.bigEndian, toByteOffset: Int(place), as: type(of: number))
            }
            for block in 0..<blockClusters {
                put(blocksPlace + UInt64(block) * layout.clusterSize, at: referencesPlace + UInt64(block) * 8)
            }
            for cluster in 0..<end / layout.clusterSize { put(1 as UInt16, at: blocksPlace + cluster * 2) }
            var table = l2Place
            var current: UInt64?
            for (index, cluster) in clusters.enumerated() {
                let (number, entry) = cluster.quotientAndRemainder(dividingBy: UInt64(layout.l2Entries))
                if number != current {
                    if current != nil { table += layout.clusterSize }
                    current = number
                    put(table | QCOW2Layout.isOnlyUse, at: l1Place + number * 8)
                }
                put(
                    dataPlace + UInt64(index) * layout.clusterSize | QCOW2Layout.isOnlyUse, at: table + entry * 8)
            }
        }
        return bytes
    }
}

/// A SHA-256 that different threads add to, one at a time.
///
/// `@unchecked`: who lends it sees to that.
private final class RunningDigest: @unchecked Sendable {
    private var hash = SHA256()

    func add(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    func hexadecimal() -> String { SparseDigest.hexadecimal(hash.finalize()) }
}
