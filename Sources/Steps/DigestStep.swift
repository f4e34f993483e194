import DiskFormats
import Engine
import Glibc
package import Model
package import SystemPackage
import Tooling

/// SHA-256 of a file as a whole, with its size and what it occupies.
struct DigestStep {
    func run(in context: StepContext) async throws {
        let path = try context.input("file")
        let digest = try await FileDigest.compute(path) { done, total in
            context.report.progress(UInt64(done), of: UInt64(total))
        }
        try DigestRecord.write(digest, of: path, into: context.output)
    }
}

package struct DigestRecord: Hashable, Sendable, Codable {
    package var digest: Digest
    package var size: ByteCount
    package var allocated: ByteCount

    /// Writes `digest.json` for a file that is complete.
    static func write(_ digest: Digest, of path: FilePath, into folder: FilePath) throws {
        var facts = stat()
        guard stat(path.string, &facts) == 0 else {
            throw FactoryError(.inputOutput, "cannot read \(path): \(Errno(rawValue: errno))")
        }
        let record = DigestRecord(
            digest: digest, size: ByteCount(UInt64(facts.st_size)), allocated: ByteCount(UInt64(facts.st_blocks) * 512))
        try WholeFile.write(try Canonical.text(record), folder.appending("digest.json"))
    }
}

/// The digest of a file, computed on a thread of its own.
package enum FileDigest {
    /// Throws CancellationError when the task is cancelled.
    package static func compute(
        _ path: FilePath, progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
    ) async throws -> Digest {
        let hex: String
        do {
            hex = try await BlockingWork.run { checkCancellation in
                try SparseDigest.sha256(of: path) { done, total in
                    try checkCancellation()
                    progress(done, total)
                }
            }
        } catch let error as FileAccessError {
            throw FactoryError(
                .inputOutput, "cannot \(error.operation) of \(path): \(error.reason)",
                remedy: "check its disk; 'image-factory fsck' checks the store")
        }
        guard let digest = Digest(hex) else { throw FactoryError(.internal, "the digest of \(path) is malformed") }
        return digest
    }
}
