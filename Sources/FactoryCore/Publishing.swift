import DiskFormats
import Glibc
import Model
import Steps
import Store
import SystemPackage
import Tooling

/// Puts finished files into a folder, each whole or not at all, in an order in which nobody finds a file that speaks
/// of another which is not there: artifacts with their checksums, what tells of them, the manifest, signatures.
struct Publishing {
    let folder: FilePath
    /// What is going to be written beside the artifacts.
    let documents: Documents
    /// On the folder itself: one build at a time writes into it, and what another left under a temporary name is
    /// nobody's. Nil on filesystems that lock no folders.
    private let lock: FileLock?
    /// The store's entry for the temporary files, whose names end with its id.
    private let intent: Ledger.Intent

    /// Makes the folder if need be, waits while another build writes into it, and writes down in the store that
    /// temporary files come into it.
    static func open(
        _ folder: FilePath, documents: Documents, _ store: FolderStore
    ) async throws -> Publishing {
        try Folder.make(folder)
        let lock = try await FileLock.wait(folder: folder)
        return Publishing(
            folder: folder, documents: documents, lock: lock, intent: try store.ledger.temporaryFiles(in: folder))
    }

    /// To be called when nothing is left under a temporary name.
    func close() { intent.settle() }

    /// Says before the copies are made that there is no space for them.
    func requireSpace(for records: [(name: String, record: DigestRecord)], from store: FilePath) throws {
        var needed: UInt64 = 0
        for (name, record) in records where FolderStore.size(folder.appending(name)) != record.size.bytes {
            needed += record.allocated.bytes
        }
        guard needed > 0, !SpaceCheck.sharesBlocks(store, folder), let free = SpaceCheck.free(folder),
            free.bytes < needed
        else { return }
        throw FactoryError(
            .cannotCreate, "the output folder \(folder) needs \(ByteCount(needed)) of free space and has \(free)",
            remedy: "free some space there or choose another folder by --output")
    }

    /// Removes the temporary files of a name that a killed build has left.
    private func removeLeftovers(of name: String) {
        guard lock != nil else { return }
        let prefix = ".\(name)."
        for file in Folder.names(folder) where file.string.hasPrefix(prefix) {
            let ending = file.string.dropFirst(prefix.count)
            if UniqueName.isOne(ending) { _ = unlink(folder.appending(file).string) }
        }
    }

    /// A copy, by reflink where the filesystem can: somebody may open the image for writing, and the store must not
    /// change with it. The copy's digest is compared with what was proven.
    func publish(_ finished: FinishedArtifact) async throws {
        let (source, name, record) = (finished.source, finished.artifact.file, finished.record)
        let target = folder.appending(name)
        removeLeftovers(of: name)
        if try await !isThere(target, record) {
            let temporary = folder.appending(".\(name).\(intent.id)")
            do {
                _ = try await BlockingWork.run { checkCancellation in
                    try SparseFile.copy(from: source, to: temporary) { _, _ in try checkCancellation() }
                }
                guard try await FileDigest.compute(temporary) == record.digest else {
                    throw FactoryError(
                        .inputOutput, "the stored result \(source) is not what it was when it was made",
                        remedy: "run 'image-factory fsck --repair' and build again")
                }
                guard chmod(temporary.string, 0o644) == 0 else { throw Errno(rawValue: errno) }
                try DurableFile.sync(temporary)
                try Task.checkCancellation()
                // What tells of an older image must not stand beside the new one.
                withdraw([name + ".sha256sum", Signer.name(of: name)] + documents.all.flatMap(\.names))
                try DurableFile.rename(temporary, to: target)
            } catch {
                _ = unlink(temporary.string)
                if error is CancellationError || error is FactoryError { throw error }
                if let failure = error as? FileAccessError {
                    throw FactoryError(
                        .inputOutput, "cannot write \(target): cannot \(failure.operation): \(failure.reason)",
                        remedy: "free some space there or choose another folder by --output")
                }
                throw FileFailure.error(error, "write", target)
            }
        }
        try write("\(record.digest.hex)  \(name)\n", as: name + ".sha256sum")
    }

    /// Replaces a file beside an artifact, and takes away the signature of another text; the same text stays.
    func write(_ text: String, as name: String) throws {
        removeLeftovers(of: name)
        let path = folder.appending(name)
        let bytes = Array(text.utf8)
        if let standing = try? DurableFile.read(path, limit: bytes.count + 1), standing == bytes { return }
        withdraw([Signer.name(of: name)])
        try DurableFile.write(bytes, to: path, unique: intent.id)
    }

    private func withdraw(_ names: [String]) {
        for name in names { _ = unlink(folder.appending(name).string) }
    }

    private func isThere(_ target: FilePath, _ record: DigestRecord) async throws -> Bool {
        var facts = stat()
        guard lstat(target.string, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG,
            UInt64(facts.st_size) == record.size.bytes
        else { return false }
        return try await FileDigest.compute(target) == record.digest
    }
}
