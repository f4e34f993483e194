import CCompress

/// What the clusters of a qcow2 file are compressed with.
package enum ClusterCompression: String, Hashable, Sendable, CaseIterable {
    case zlib, zstd
    /// Every cluster stands in the file as it is.
    case none

    /// The version of the library that is loaded: its bytes reach the file.
    package var libraryVersion: String {
        switch self {
        case .zlib: String(cString: ccompress_zlib_version())
        case .zstd: String(cString: ccompress_zstd_version())
        case .none: "none"
        }
    }

    /// Compresses a cluster; returns the bytes written, or nil if it is to be stored as it is.
    func compress(
        _ cluster: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws -> Int? {
        if self == .none { return nil }
        let call = self == .zlib ? ccompress_zlib : ccompress_zstd
        let count = call(target.baseAddress, target.count, cluster.baseAddress, cluster.count)
        guard count >= 0 else { throw FileAccessError("compress", "there is no memory for it") }
        return count == 0 ? nil : count
    }

    /// Fills the cluster with what the bytes decompress to; false if that is less, or more, or nothing.
    func decompress(_ bytes: UnsafeRawBufferPointer, into cluster: UnsafeMutableRawBufferPointer) -> Bool {
        let call = self == .zlib ? ccompress_zlib_reverse : ccompress_zstd_reverse
        return call(cluster.baseAddress, cluster.count, bytes.baseAddress, bytes.count) == 0
    }
}
