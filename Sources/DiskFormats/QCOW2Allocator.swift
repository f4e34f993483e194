/// Gives out the clusters of a growing qcow2 file, and counts who uses each: pure, so that the same clusters in the same
/// order always lie at the same places.
///
/// Compressed clusters are packed byte by byte. Where something else had to be placed behind them, the rest of their
/// last cluster is used by those that fit into it, as QEMU does.
struct QCOW2Allocator {
    let clusterSize: UInt64
    /// Of each cluster of the file, from its start. 16 bits are enough: a compressed cluster has more than 12 bytes, so
    /// that at most a fifteenth as many as that share a cluster of 2 MiB, the largest.
    private(set) var references: [UInt16] = []
    /// Where compressed bytes may go on; at a cluster's start if there is no such place.
    private var open: UInt64 = 0

    init(clusterSize: UInt64) { self.clusterSize = clusterSize }

    /// The size of the file so far in bytes, a multiple of the cluster size.
    var end: UInt64 { UInt64(references.count) * clusterSize }

    /// The place of new clusters, one behind the other.
    mutating func clusters(_ count: Int) -> UInt64 {
        let place = end
        references += Array(repeating: 1, count: count)
        return place
    }

    /// The place of compressed bytes, fewer than a cluster.
    mutating func bytes(_ count: Int) -> UInt64 {
        let room = (clusterSize - open % clusterSize) % clusterSize
        let goesOn = room >= count || room > 0 && open + room == end
        let place = goesOn ? open : end
        let first = Int(place / clusterSize)
        let last = Int((place + UInt64(count) - 1) / clusterSize)
        while references.count <= last { references.append(0) }
        for cluster in first...last { references[cluster] += 1 }
        open = place + UInt64(count)
        return place
    }
}
