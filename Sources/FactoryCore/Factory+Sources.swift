import Glibc
import Store
import SystemPackage
import Tooling
import Transfer

extension Factory {
    /// Brings sources into a store, under the locks of that store.
    func sources(of store: FolderStore, limits: TransferLimits = TransferLimits()) -> SourceFetcher {
        let locks = store.root.appending("locks")
        return SourceFetcher(
            folder: store.root.appending("sources"), runner: runner,
            locks: SourceLocks(
                wait: { name, waiting in
                    let path = locks.appending(name)
                    let lock = try await FileLock.wait(path, waiting: waiting)
                    // Removed while it is held, so that the next one who opens it knows that it is no longer the lock.
                    return SourceLocks.Held { withExtendedLifetime(lock) { _ = unlink(path.string) } }
                },
                lease: { FileLock.attempt(existing: $0, shared: true) }),
            clock: clock, limits: limits)
    }
}
