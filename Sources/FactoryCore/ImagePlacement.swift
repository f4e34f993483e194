import DiskFormats
import Glibc
import Model
import Steps
import Store
import SystemPackage
import Tooling

/// Puts one finished image at a path, whole or not at all.
struct ImagePlacement {
    let path: FilePath
    let store: FolderStore

    /// A copy beside the path first, whose digest is compared with what was made; then it is renamed. A file that is
    /// replaced hands its mode and owner on.
    ///
    /// Throws `FactoryError` or `CancellationError`; then nothing is at the path that was not before.
    func place(_ source: FilePath, _ record: DigestRecord) async throws {
        let folder = path.removingLastComponent().isEmpty ? "." : path.removingLastComponent()
        let intent = try store.ledger.temporaryFiles(in: folder)
        defer { intent.settle() }
        let temporary = folder.appending(".\(path.lastComponent?.string ?? "image").\(intent.id)")
        do {
            _ = try await BlockingWork.run { checkCancellation in
                try SparseFile.copy(from: source, to: temporary) { _, _ in try checkCancellation() }
            }
            guard try await FileDigest.compute(temporary) == record.digest else {
                throw FactoryError(
                    .inputOutput, "the stored result \(source) is not what it was when it was made",
                    remedy: "run 'image-factory fsck --repair' and make the image again")
            }
            try inherit(temporary)
            try DurableFile.sync(temporary)
            try Task.checkCancellation()
            try DurableFile.rename(temporary, to: path)
        } catch {
            _ = unlink(temporary.string)
            if error is CancellationError || error is FactoryError { throw error }
            if let failure = error as? FileAccessError {
                throw FactoryError(
                    .inputOutput, "cannot write \(path): cannot \(failure.operation): \(failure.reason)",
                    remedy: "free some space there or choose another folder")
            }
            throw FileFailure.error(error, "write", path)
        }
    }

    private func inherit(_ temporary: FilePath) throws {
        var facts = stat()
        guard stat(path.string, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            guard chmod(temporary.string, 0o644) == 0 else { throw Errno(rawValue: errno) }
            return
        }
        // Only root can give files away; others keep what they make.
        _ = chown(temporary.string, facts.st_uid, facts.st_gid)
        guard chmod(temporary.string, facts.st_mode & 0o777) == 0 else { throw Errno(rawValue: errno) }
    }
}
