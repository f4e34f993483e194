package import SystemPackage

/// Writes disks as compressed qcow2 files of version 3.
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

    /// Makes `target`, a regular file opened for reading and writing, a qcow2 file of the disk `source`.
    ///
    /// What the target held is lost. Progress is in bytes of the disk. Holes are not read. Blocks its thread, checks for
    /// the cancellation of its task after each cluster and moves the positions of the files. Nothing is flushed to the
    /// disk. Throws `FileAccessError`, `CancellationError` or what `progress` throws; the target is then no qcow2 file.
    package func write(
        _ source: FileDescriptor, to target: FileDescriptor, progress: ByteProgress = { _, _ in }
    ) throws {
        try SparseFile.refuse(target, sameAs: source)
        let size = try source.logicalSize()
        try target.setSize(0)
        var file = try QCOW2File(target, size: UInt64(size), clusterBits: clusterBits, compression: compression)
        let pipeline = try ClusterPipeline(
            source, clusterSize: 1 << clusterBits, compression: compression, threads: threads)
        try pipeline.forEach { cluster, content in
            try file.add(content, at: cluster)
            try progress(min(Int64(cluster + 1) << clusterBits, size), size)
        }
        try file.finish()
        try progress(size, size)
    }
}
