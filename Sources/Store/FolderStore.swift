package import Engine
import Glibc
package import Model
package import SystemPackage

/// What is kept between builds, as files and folders:
///
///     results/AB/ABCD…/   a step's result: its files, record.json, log (read-only, complete when visible)
///     work/NAME/          a step under construction: lock, out, scratch
///     locks/ABCD…         the lock of a step
///     logs/               logs of steps that failed
///     ledger/             what lies outside of the store and is to be removed if its process is gone
///     sources/DIGEST      what definitions name by address; index/ and partial/ beside it
///     plans/, apt/, releases/, resolutions/, packages/, urls/
package struct FolderStore: ResultCache {
    package static let folders = [
        "results", "work", "locks", "logs", "ledger", "plans", "apt", "releases", "resolutions",
        "packages", "sources", "sources/index", "sources/partial", "urls",
    ]

    package let root: FilePath
    /// The digest of a file, computed without blocking other tasks.
    let digest: @Sendable (FilePath) async throws -> Digest
    /// Removes a tree whose files belong to ids that the caller is not.
    private let removeForeign: @Sendable (FilePath) async -> Void
    /// Undefines a machine of libvirt, by connection and name.
    private let releaseDomain: @Sendable (String, String) async -> Ledger.DomainRelease

    package init(
        _ root: FilePath, digest: @escaping @Sendable (FilePath) async throws -> Digest,
        removeForeign: @escaping @Sendable (FilePath) async -> Void,
        releaseDomain: @escaping @Sendable (String, String) async -> Ledger.DomainRelease = { _, _ in .failed }
    ) throws {
        self.root = root
        self.digest = digest
        self.removeForeign = removeForeign
        self.releaseDomain = releaseDomain
        for name in Self.folders { try Folder.make(root.appending(name)) }
    }

    package var ledger: Ledger { Ledger(folder: root.appending("ledger")) }

    /// Also nil where a file of the result is missing or has another size: then it is made again.
    package func lookup(_ id: Digest) throws -> StepResult? {
        let folder = resultFolder(id)
        let path = folder.appending("record.json")
        // None while prune removes it, or where files cannot be locked.
        let lease = FileLock.attempt(existing: path, shared: true)
        let bytes: [UInt8]
        do {
            bytes = try DurableFile.read(path)
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw FileFailure.error(error, "read", path)
        }
        guard let record = try? Canonical.decode(StepRecord.self, from: bytes), record.id == id,
            record.files.allSatisfy({ Self.size(folder.appending($0.name)) == $0.size })
        else { return nil }
        // The time of last use decides what prune removes first.
        _ = utimensat(AT_FDCWD, path.string, nil, 0)
        return StepResult(folder: folder, record: record, lease: lease)
    }

    package func begin(_ step: Step, waiting: @Sendable () -> Void) async throws -> BeginOutcome {
        let name = root.appending("locks").appending(step.id.hex)
        let lock = try await FileLock.wait(name, waiting: waiting)
        if let result = try lookup(step.id) {
            // Removed while it is held, so that the next one who opens it knows that it is no longer the lock.
            withExtendedLifetime(lock) { _ = unlink(name.string) }
            return .found(result)
        }
        let (folder, alive) = try newFolder()
        try Folder.make(folder.appending("out"))
        try Folder.make(folder.appending("scratch"))
        let log = root.appending("logs").appending("\(step.name)-\(UniqueName.make()).log")
        return .mine(Pending(store: self, step: step, folder: folder, log: log, locks: [lock, alive]))
    }

    /// The size of a regular file; nil if it is none.
    package static func size(_ path: FilePath) -> UInt64? {
        var facts = stat()
        guard lstat(path.string, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return UInt64(facts.st_size)
    }

    /// A folder in `work/` for as long as the body runs; if the process is killed, the next start removes it.
    package func withWorkFolder<Value: Sendable>(_ body: (FilePath) async throws -> Value) async throws -> Value {
        let (folder, lock) = try newFolder()
        let scratch = folder.appending("scratch")
        do {
            try Folder.make(scratch)
            let value = try await body(scratch)
            await remove(folder)
            withExtendedLifetime(lock) {}
            return value
        } catch {
            await remove(folder)
            withExtendedLifetime(lock) {}
            throw error
        }
    }

    /// A folder in `work/` with its lock. Between making the one and taking the other, another process may take the
    /// folder for one that was left behind, and remove it.
    private func newFolder() throws -> (FilePath, FileLock) {
        var failure: (any Error)?
        for _ in 0..<10 {
            let folder = root.appending("work").appending(UniqueName.make())
            try Folder.make(folder)
            do {
                if let lock = try FileLock.attempt(folder.appending("lock")) { return (folder, lock) }
            } catch { failure = error }
        }
        throw failure ?? FactoryError(.internal, "every new folder in \(root.appending("work")) is locked")
    }

    /// Removes what builds that were killed have left in `work/`.
    package func reap() async {
        for name in Folder.names(root.appending("work")) {
            let folder = root.appending("work").appending(name)
            guard let lock = try? FileLock.attempt(folder.appending("lock")) else { continue }
            await remove(folder)
            _ = lock
        }
        for name in Folder.names(root.appending("locks")) {
            // Of a build that was killed between its result and its lock. Who waits for it sees that it is gone.
            let path = root.appending("locks").appending(name)
            guard let lock = try? FileLock.attempt(path) else { continue }
            withExtendedLifetime(lock) { _ = unlink(path.string) }
        }
        for shelf in Folder.names(root.appending("results")) {
            await removeHidden(root.appending("results").appending(shelf))
        }
        for kind in ["packages", "releases", "logs", "sources", "sources/index", "sources/partial"] {
            await removeHidden(root.appending(kind))
        }
        for folder in [root] + ["plans", "ledger", "resolutions"].map({ root.appending($0) }) {
            removeTemporaries(folder)
        }
        await ledger.reap(releaseDomain: releaseDomain)
    }

    /// Folders with a dot are those that prune was removing.
    private func removeHidden(_ folder: FilePath) async {
        for name in Folder.names(folder) where name.string.hasPrefix(".") { await remove(folder.appending(name)) }
    }

    /// Files under temporary names whose writers are gone.
    private func removeTemporaries(_ folder: FilePath) {
        for name in Folder.names(folder) where name.string.hasPrefix(".") {
            let path = folder.appending(name)
            guard Self.size(path) != nil, let lock = FileLock.attempt(existing: path, shared: false) else { continue }
            withExtendedLifetime(lock) { _ = unlink(path.string) }
        }
    }

    package func remove(_ folder: FilePath) async {
        do {
            try Folder.remove(folder)
        } catch {
            await removeForeign(folder)
            try? Folder.remove(folder)
        }
    }

    package func resultFolder(_ id: Digest) -> FilePath {
        root.appending("results").appending(String(id.hex.prefix(2))).appending(id.hex)
    }
}

/// A step's folder in `work/` on its way to `results/`.
private struct Pending: PendingResult {
    let store: FolderStore
    let step: Step
    let folder: FilePath
    let log: FilePath
    let locks: [FileLock]

    var output: FilePath { folder.appending("out") }
    var scratch: FilePath { folder.appending("scratch") }

    func commit(_ record: StepRecord) async throws -> StepResult {
        let target = store.resultFolder(record.id)
        var record = record
        do {
            for name in try Folder.list(output) { record.files.append(try await seal(name)) }
            try move(log, to: output.appending("log"))
            if access(output.appending("log").string, F_OK) == 0 { try DurableFile.sync(output.appending("log")) }
            try DurableFile.write(
                Array(try Canonical.text(record).utf8), to: output.appending("record.json"))
            let shelf = target.removingLastComponent()
            try Folder.make(shelf)
            try DurableFile.syncFolder(shelf.removingLastComponent())
            try? Folder.remove(target)
            try DurableFile.rename(output, to: target)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // What went wrong is told with the place of the log.
            try? move(output.appending("log"), to: log)
            throw FileFailure.error(error, "keep the result of \(step.name) in", target)
        }
        // Before the step's lock is given back: prune asks for both.
        let lease = FileLock.attempt(existing: target.appending("record.json"), shared: true)
        await discard()
        return StepResult(folder: target, record: record, lease: lease)
    }

    private func move(_ file: FilePath, to target: FilePath) throws(Errno) {
        guard Glibc.rename(file.string, target.string) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }

    func discard() async {
        await store.remove(folder)
        _ = unlink(store.root.appending("locks").appending(step.id.hex).string)
    }

    /// Read-only, owned by the store's owner (as root, contained steps write as another id), and on the disk.
    private func seal(_ name: FilePath.Component) async throws -> StepRecord.File {
        let path = output.appending(name)
        if geteuid() == 0, lchown(path.string, 0, 0) != 0 { throw Errno(rawValue: errno) }
        guard chmod(path.string, 0o444) == 0 else { throw Errno(rawValue: errno) }
        guard let size = FolderStore.size(path) else {
            throw FactoryError(.internal, "the step \(step.name) made \(name), which is no file")
        }
        let digest = try await store.digest(path)
        try DurableFile.sync(path)
        return StepRecord.File(name: name.string, size: size, digest: digest)
    }
}
