package import SystemPackage

import Crypto
import Glibc

/// The SHA-256 of a file's whole logical content, in one pass that reads no holes.
///
/// Holes are hashed from a small buffer of zeroes that stays in the processor's cache; while a chunk is hashed, the
/// kernel reads the next ones. It needs about 1 MiB of memory for a file of any size.
package enum SparseDigest {
    private static let chunkSize = 1 << 20
    private static let zeroSize = 64 << 10
    /// Zeroes between two looks at cancellation and progress: some milliseconds of work.
    private static let holeStep: Int64 = 16 << 20
    private static let readAhead = 8 << 20

    /// The digest as 64 lower-case hexadecimal digits.
    ///
    /// Blocks its thread, checks for the cancellation of its task after each chunk and moves the file's position.
    /// Throws `FileAccessError`, `CancellationError` or what `progress` throws.
    package static func sha256(
        of descriptor: FileDescriptor, progress: ByteProgress = { _, _ in }
    ) throws -> String {
        let size = try descriptor.logicalSize()
        var extents = try DataExtents(of: descriptor)
        var hash = SHA256()
        var done: Int64 = 0
        posix_fadvise(descriptor.rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
        try withChunk(of: chunkSize) { chunk in
            while let extent = try extents.next() {
                try addZeroes(extent.lowerBound - done, to: &hash) { try progress(done + $0, size) }
                try chunk.forEachChunk(of: extent, in: descriptor) { at, bytes in
                    done = at + Int64(bytes.count)
                    posix_fadvise(descriptor.rawValue, off_t(done), off_t(readAhead), POSIX_FADV_WILLNEED)
                    hash.update(bufferPointer: bytes)
                    try progress(done, size)
                }
            }
        }
        try addZeroes(size - done, to: &hash) { try progress(done + $0, size) }
        return hexadecimal(hash.finalize())
    }

    /// The digest of the file at a path.
    package static func sha256(of path: FilePath, progress: ByteProgress = { _, _ in }) throws -> String {
        let descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { try? descriptor.close() }
        return try sha256(of: descriptor, progress: progress)
    }

    private static func addZeroes(_ count: Int64, to hash: inout SHA256, step: (Int64) throws -> Void) throws {
        try withChunk(of: zeroSize) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            let zeroes = UnsafeRawBufferPointer(buffer)
            var done: Int64 = 0
            while done < count {
                try Task.checkCancellation()
                let stop = min(count, done + holeStep)
                while done < stop {
                    let part = Int(min(Int64(zeroSize), stop - done))
                    hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: zeroes[..<part]))
                    done += Int64(part)
                }
                try step(done)
            }
        }
    }

    static func hexadecimal(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
