package import SystemPackage

/// Writes disks as qcow2 files of version 3.
///
/// The bytes of the file depend on the content of the disk, the compression and its library's version, and on nothing
/// else: not on the number of threads, and not on where the disk has holes and where zeroes.
package struct QCOW2Writer: Sendable {
    package var compression: ClusterCompression
    /// 9 to 21; 17, that is clusters of 128 KiB, are good for images that are read more than written.
    package var clusterBits: Int
    package var threads: Int

    /// - Parameter threads: that compress; by default one for each processor.
    package init(compression: ClusterCompression, clusterBits: Int = 17, threads: Int? = nil) {
        self.compression = compression
        self.clusterBits = clusterBits
        self.threads = threads ?? WorkerThreads.usual
    }

    /// Makes `target`, a regular file opened for reading and writing, a qcow2 file of the disk `source`, and returns its
    /// SHA-256 in hexadecimal digits.
    ///
    /// What the target held is lost. Progress is in bytes of the disk, and may begin anew. Holes are not read. Blocks its
    /// thread, checks for the cancellation of its task after each cluster and moves the positions of the files. Nothing is
    /// flushed to the disk. Throws `FileAccessError`, `CancellationError` or what `progress` throws; the target is then no
    /// qcow2 file.
    @discardableResult
    package func write(
        _ source: FileDescriptor, to target: FileDescriptor, progress: ByteProgress = { _, _ in }
    ) throws -> String {
        try SparseFile.refuse(target, sameAs: source)
        let size = try source.logicalSize()
        let layout = try QCOW2Layout(size: UInt64(size), clusterBits: clusterBits, compression: compression)
        let digest =
            compression == .none
            ? try writePlain(source, to: target, layout) { try progress($0, size) }
            : try writeCompressed(source, to: target, layout) { try progress(min($0, size), size) }
        try progress(size, size)
        return digest
    }

    /// Takes each cluster with data for one that is not all zero, until it is known better: a sealed disk has no others.
    private func writePlain(
        _ source: FileDescriptor, to target: FileDescriptor, _ layout: QCOW2Layout, step: (Int64) throws -> Void
    ) throws -> String {
        var clusters: [UInt64] = []
        var found = DataClusters(try DataExtents(of: source), clusterSize: Int64(layout.clusterSize))
        while let cluster = try found.next() { clusters.append(cluster) }
        do {
            return try QCOW2PlainFile(layout, clusters: clusters).write(source, to: target, step: step)
        } catch is StreamedCopy.FoundZeroes {
            clusters = try withoutZeroes(clusters, of: source)
            return try QCOW2PlainFile(layout, clusters: clusters).write(source, to: target, step: step)
        }
    }

    /// Most clusters show with their first block that they are not all zero.
    private func withoutZeroes(_ clusters: [UInt64], of source: FileDescriptor) throws -> [UInt64] {
        let size = 1 << clusterBits
        return try withChunk(of: size) { chunk in
            try clusters.filter { cluster in
                try Task.checkCancellation()
                for length in [min(size, ZeroRuns.blockSize), size] {
                    let part = UnsafeMutableRawBufferPointer(rebasing: chunk[..<length])
                    let count = try source.readFully(at: Int64(cluster) << clusterBits, into: part)
                    if !ZeroRuns.isZero(UnsafeRawBufferPointer(rebasing: part[..<count])) { return true }
                }
                return false
            }
        }
    }

    private func writeCompressed(
        _ source: FileDescriptor, to target: FileDescriptor, _ layout: QCOW2Layout, step: (Int64) throws -> Void
    ) throws -> String {
        try target.setSize(0)
        var file = QCOW2File(target, layout: layout)
        try pipeline(source).forEach { cluster, content in
            try file.add(content, at: cluster)
            try step(Int64(cluster + 1) << clusterBits)
        }
        try file.finish()
        return try SparseDigest.sha256(of: target)
    }

    private func pipeline(_ source: FileDescriptor) throws -> ClusterPipeline {
        try ClusterPipeline(source, clusterSize: 1 << clusterBits, compression: compression, threads: threads)
    }
}
