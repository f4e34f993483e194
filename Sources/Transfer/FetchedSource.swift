package import Model
package import SystemPackage

/// The bytes of a source, in the store.
package struct FetchedSource: Sendable {
    package var digest: Digest
    package var size: ByteCount
    /// Read-only. It stays there as long as the lease lives.
    package var path: FilePath
    /// Whether the bytes were in the store before.
    package var wasCached: Bool
    /// Whether the server was asked, and said that the bytes are still the same.
    package var revalidated: Bool
    /// Keeps `prune` away. Nil where files cannot be locked.
    package var lease: (any Sendable)?
}

/// The store's locks, as its owner has them.
package struct SourceLocks: Sendable {
    /// A lock that is held.
    package struct Held: Sendable {
        package var release: @Sendable () -> Void

        package init(release: @escaping @Sendable () -> Void) { self.release = release }
    }

    /// Waits for the lock of that name, which one process has at a time. `waiting` is called once if another has it.
    package var wait: @Sendable (_ name: String, _ waiting: @Sendable () -> Void) async throws -> Held
    /// Keeps a file from being removed for as long as the value lives; nil where that cannot be.
    package var lease: @Sendable (FilePath) -> (any Sendable)?

    package init(
        wait: @escaping @Sendable (_ name: String, _ waiting: @Sendable () -> Void) async throws -> Held,
        lease: @escaping @Sendable (FilePath) -> (any Sendable)?
    ) {
        self.wait = wait
        self.lease = lease
    }
}
