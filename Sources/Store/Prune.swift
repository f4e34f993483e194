import Glibc
package import Model
package import SystemPackage

extension FolderStore {
    /// What a result or a downloaded package occupies, and when it was last used.
    package struct Entry: Sendable {
        package var path: FilePath
        package var allocated: ByteCount
        /// Seconds since 1970.
        package var used: Double
        var lock: String?
    }

    /// Removes what was not used for `age` seconds, then the longest unused until at most `size` is left. What a
    /// running build makes or uses is not touched. Returns what was removed and what is left.
    package func prune(size: ByteCount?, age: Double?, now: Double) async -> (removed: [Entry], left: ByteCount) {
        var kept: [Entry] = []
        var removed: [Entry] = []
        for entry in entries().sorted(by: { $0.used < $1.used }) {
            if let age, now - entry.used > age, await discard(entry) {
                removed.append(entry)
            } else {
                kept.append(entry)
            }
        }
        var total = kept.reduce(UInt64(0)) { $0 + $1.allocated.bytes }
        for entry in kept {
            guard let size, total > size.bytes else { break }
            guard await discard(entry) else { continue }
            removed.append(entry)
            total -= entry.allocated.bytes
        }
        return (removed, ByteCount(total))
    }

    package func entries() -> [Entry] {
        var entries: [Entry] = []
        for shelf in Folder.names(root.appending("results")) {
            for name in Folder.names(root.appending("results").appending(shelf)) {
                let folder = root.appending("results").appending(shelf).appending(name)
                var allocated: UInt64 = 0
                var used = 0.0
                for file in Folder.names(folder) {
                    guard let facts = facts(folder.appending(file)) else { continue }
                    allocated += facts.allocated
                    if file.string == "record.json" { used = facts.used }
                }
                entries.append(Entry(path: folder, allocated: ByteCount(allocated), used: used, lock: name.string))
            }
        }
        for kind in ["packages", "urls", "releases", "resolutions", "logs"] {
            for name in Folder.names(root.appending(kind)) {
                let path = root.appending(kind).appending(name)
                guard let facts = facts(path) else { continue }
                let inside = Folder.names(path).compactMap { self.facts(path.appending($0))?.allocated }
                let allocated = inside.reduce(facts.allocated, +)
                entries.append(Entry(path: path, allocated: ByteCount(allocated), used: facts.used))
            }
        }
        return entries + sources()
    }

    /// What was brought from addresses, what is known of it, and transfers that were interrupted. A transfer has a
    /// lock of its own.
    private func sources() -> [Entry] {
        let folder = root.appending("sources")
        var entries: [Entry] = []
        for place in [folder, folder.appending("index")] {
            for name in Folder.names(place) where Self.size(place.appending(name)) != nil {
                guard let facts = facts(place.appending(name)) else { continue }
                entries.append(
                    Entry(path: place.appending(name), allocated: ByteCount(facts.allocated), used: facts.used))
            }
        }
        for name in Folder.names(folder.appending("partial")) {
            let path = folder.appending("partial").appending(name)
            guard let facts = facts(path) else { continue }
            let files = [path, path.appending("out")].flatMap { place in
                Folder.names(place).compactMap { self.facts(place.appending($0)) }
            }
            entries.append(
                Entry(
                    path: path, allocated: ByteCount(files.reduce(facts.allocated) { $0 + $1.allocated }),
                    used: files.reduce(facts.used) { max($0, $1.used) }, lock: "source-" + name.string))
        }
        return entries
    }

    private func facts(_ path: FilePath) -> (allocated: UInt64, used: Double)? {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return nil }
        return (UInt64(status.st_blocks) * 512, Double(status.st_mtim.tv_sec))
    }

    /// False where somebody makes or uses it.
    func discard(_ entry: Entry) async -> Bool {
        var held: [FileLock] = []
        if let name = entry.lock {
            guard let lock = try? FileLock.attempt(root.appending("locks").appending(name)) else { return false }
            held.append(lock)
        }
        defer {
            if let name = entry.lock { _ = unlink(root.appending("locks").appending(name).string) }
            withExtendedLifetime(held) {}
        }
        // Who uses it has a shared lock: on the record of a result, on all packages, on a folder itself.
        let shelf = entry.path.removingLastComponent()
        let leased =
            entry.lock != nil
            ? entry.path.appending("record.json") : shelf.lastComponent == "packages" ? shelf : entry.path
        if access(leased.string, F_OK) == 0 {
            guard let lease = FileLock.attempt(existing: leased, shared: false) else { return false }
            held.append(lease)
        }
        // Renamed first, so that no lookup finds half a result.
        let hidden = entry.path.removingLastComponent().appending("." + (entry.path.lastComponent?.string ?? "x"))
        guard Glibc.rename(entry.path.string, hidden.string) == 0 else { return false }
        await remove(hidden)
        return true
    }

    /// Keeps prune away from the packages, or from a folder of package lists, while the lease lives; what prune removes
    /// at this moment is waited for. Nil where the filesystem locks no folders. Throws if the folder cannot be opened:
    /// without a lease what the build reads could go away.
    package func use(_ kind: String, _ name: String = "") async throws -> (any Sendable)? {
        let path = root.appending(kind)
        return try await FileLock.wait(folder: name.isEmpty ? path : path.appending(name), shared: true)
    }
}
