import DiskFormats
import Engine
import Glibc
package import Model
import SystemPackage

/// SHA-256 of a file as a whole, with its size and what it occupies.
struct DigestStep {
    func run(in context: StepContext) async throws {
        let path = try context.input("file")
        let digest = try FileDigest.compute(path) { done, total in
            context.report.progress(UInt64(done), of: UInt64(total))
        }
        var facts = stat()
        guard stat(path.string, &facts) == 0 else {
            throw FactoryError(.inputOutput, "cannot read \(path): \(Errno(rawValue: errno))")
        }
        let record = DigestRecord(
            digest: digest, size: ByteCount(UInt64(facts.st_size)), allocated: ByteCount(UInt64(facts.st_blocks) * 512))
        try WholeFile.write(try Canonical.text(record), context.output.appending("digest.json"))
    }
}

package struct DigestRecord: Hashable, Sendable, Codable {
    package var digest: Digest
    package var size: ByteCount
    package var allocated: ByteCount
}

enum FileDigest {
    /// Throws CancellationError when the task is cancelled.
    static func compute(_ path: FilePath, progress: (Int64, Int64) -> Void = { _, _ in }) throws -> Digest {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            guard let digest = Digest(try SparseDigest.sha256(of: file, progress: progress)) else {
                throw FactoryError(.internal, "the digest of \(path) is malformed")
            }
            return digest
        }
    }
}
