import DiskFormats
import Glibc
import Model
import Steps
import Store
import SystemPackage

/// Puts finished files into a folder, each whole or not at all, its checksum beside it.
struct Publishing {
    let folder: FilePath

    /// A copy, by reflink where the filesystem can: somebody may open the image for writing, and the store must not
    /// change with it. The copy's digest is compared with what was proven.
    func publish(_ source: FilePath, as name: String, _ record: DigestRecord) async throws {
        let target = folder.appending(name)
        if try await !isThere(target, record) {
            let temporary = folder.appending(".\(name).\(UniqueName.make())")
            do {
                _ = try await BlockingWork.run { checkCancellation in
                    try SparseFile.copy(from: source, to: temporary) { _, _ in try checkCancellation() }
                }
                guard try await FileDigest.compute(temporary) == record.digest else {
                    throw FactoryError(
                        .inputOutput, "the stored result \(source) is not what it was when it was made",
                        remedy: "run 'image-factory prune --age 0s' and build again")
                }
                guard chmod(temporary.string, 0o644) == 0 else { throw Errno(rawValue: errno) }
                try DurableFile.sync(temporary)
                try DurableFile.rename(temporary, to: target)
            } catch {
                _ = unlink(temporary.string)
                if error is CancellationError || error is FactoryError { throw error }
                throw FileFailure.error(error, "write", target)
            }
        }
        try write("\(record.digest.hex)  \(name)\n", as: name + ".sha256sum")
    }

    func write(_ text: String, as name: String) throws {
        try DurableFile.write(Array(text.utf8), to: folder.appending(name))
    }

    private func isThere(_ target: FilePath, _ record: DigestRecord) async throws -> Bool {
        var facts = stat()
        guard lstat(target.string, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG,
            UInt64(facts.st_size) == record.size.bytes
        else { return false }
        return try await FileDigest.compute(target) == record.digest
    }
}
