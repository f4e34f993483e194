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
///     plans/, apt/, releases/, packages/
package struct FolderStore: ResultCache {
    package let root: FilePath
    /// Removes a tree whose files belong to ids that the caller is not.
    private let removeForeign: @Sendable (FilePath) async -> Void

    package init(_ root: FilePath, removeForeign: @escaping @Sendable (FilePath) async -> Void) throws {
        self.root = root
        self.removeForeign = removeForeign
        for name in ["results", "work", "locks", "logs", "plans", "apt", "releases", "packages"] {
            try Folder.make(root.appending(name))
        }
    }

    package func lookup(_ id: Digest) throws -> StepResult? {
        let folder = resultFolder(id)
        let path = folder.appending("record.json")
        let bytes: [UInt8]
        do {
            bytes = try DurableFile.read(path)
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw FileFailure.error(error, "read", path)
        }
        guard let record = try? Canonical.decode(StepRecord.self, from: bytes), record.id == id else { return nil }
        // The time of last use decides what prune removes first.
        _ = utimensat(AT_FDCWD, path.string, nil, 0)
        return StepResult(folder: folder, record: record)
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

    /// A folder for work that is no step, gone when the body ends, or at the next start after this process ends.
    package func withScratch<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
        let (folder, alive) = try newFolder()
        defer { _ = alive }
        do {
            let scratch = folder.appending("scratch")
            try Folder.make(scratch)
            let value = try await body(scratch)
            await remove(folder)
            return value
        } catch {
            await remove(folder)
            throw error
        }
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
            // A folder with a dot is one that prune was removing.
            for name in Folder.names(root.appending("results").appending(shelf)) where name.string.hasPrefix(".") {
                await remove(root.appending("results").appending(shelf).appending(name))
            }
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
        do {
            for name in Folder.names(output) { try seal(output.appending(name)) }
            try move(log, to: output.appending("log"))
            try DurableFile.write(
                Array(try Canonical.text(record).utf8), to: output.appending("record.json"))
            try Folder.make(target.removingLastComponent())
            try? Folder.remove(target)
            try DurableFile.rename(output, to: target)
        } catch {
            // What went wrong is told with the place of the log.
            try? move(output.appending("log"), to: log)
            if let error = error as? FactoryError { throw error }
            throw FileFailure.error(error, "keep the result of \(step.name) in", target)
        }
        await discard()
        return StepResult(folder: target, record: record)
    }

    private func move(_ file: FilePath, to target: FilePath) throws(Errno) {
        guard Glibc.rename(file.string, target.string) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }

    func discard() async {
        await store.remove(folder)
        _ = unlink(store.root.appending("locks").appending(step.id.hex).string)
    }

    /// Read-only, owned by the store's owner (as root, contained steps write as another id), and on the disk.
    private func seal(_ path: FilePath) throws(Errno) {
        if geteuid() == 0, lchown(path.string, 0, 0) != 0 { throw Errno(rawValue: errno) }
        guard chmod(path.string, 0o444) == 0 else { throw Errno(rawValue: errno) }
        try DurableFile.sync(path)
    }
}
