package import Model
import Store

/// What `prune` removed and what it left.
package struct PruneReport: Sendable {
    package var removed: Int
    package var freed: ByteCount
    package var left: ByteCount
}

extension Factory {
    /// Removes results, packages and logs: what was not used for `age` seconds, and the longest unused above `size`.
    package func prune(size: ByteCount?, age: Double?) async throws -> PruneReport {
        let opened = try await openStore()
        let (removed, left) = await opened.prune(size: size, age: age, now: clock.now())
        return PruneReport(
            removed: removed.count, freed: ByteCount(removed.reduce(UInt64(0)) { $0 + $1.allocated.bytes }), left: left)
    }
}
