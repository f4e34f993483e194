package import SystemPackage

import CLinux
import Glibc

extension SparseFile {
    /// Turns the aligned zero blocks of a file, and space reserved but never written, into holes; the content stays.
    ///
    /// Returns the bytes of zeroes that were data. Where the filesystem cannot punch holes it throws `FileAccessError`.
    @discardableResult
    package static func punchZeroes(
        in descriptor: FileDescriptor, progress: ByteProgress = { _, _ in }
    ) throws -> Int64 {
        let size = try descriptor.logicalSize()
        var extents = try DataExtents(of: descriptor)
        var found: Int64 = 0
        var seen: Int64 = 0
        try withChunk(of: chunkSize) { chunk in
            while let extent = try extents.next() {
                try punch(seen..<extent.lowerBound, of: descriptor, size: size)
                // From a block's start: where blocks are smaller than ours, an extent may begin inside of one.
                let start = extent.lowerBound / Int64(ZeroRuns.blockSize) * Int64(ZeroRuns.blockSize)
                try chunk.forEachChunk(of: start..<extent.upperBound, in: descriptor) { at, bytes in
                    try ZeroRuns.forEach(in: bytes) { run, zero in
                        guard zero else { return }
                        try punch(at + Int64(run.lowerBound)..<at + Int64(run.upperBound), of: descriptor, size: size)
                        found += Int64(run.count)
                    }
                    try progress(at + Int64(bytes.count), size)
                }
                seen = extent.upperBound
            }
        }
        try punch(seen..<size, of: descriptor, size: size)
        try progress(size, size)
        return found
    }

    /// Frees a range, which reads as zero then. At the end of the file the last block is freed whole: a part of a block
    /// would only be overwritten.
    package static func punch(_ range: Range<Int64>, of descriptor: FileDescriptor, size: Int64) throws {
        guard !range.isEmpty else { return }
        let block = Int64(ZeroRuns.blockSize)
        let end = range.upperBound == size ? (size + block - 1) / block * block : range.upperBound
        guard if_punch_hole(descriptor.rawValue, off_t(range.lowerBound), off_t(end - range.lowerBound)) == 0 else {
            throw FileAccessError.current("punch a hole")
        }
    }

    /// Writes ranges of `source` to a target that has holes there, each `shift` bytes further on. With `dropping`, blocks of
    /// this size that are all zero are left out.
    ///
    /// By reading and writing: where nothing can be shared, copy_file_range goes from page to page and takes up to twice
    /// the time of the kernel (ext4, Linux 6.18).
    static func copy(
        _ ranges: [Range<Int64>], of source: FileDescriptor, to target: FileDescriptor, shift: Int64 = 0,
        dropping block: Int? = nil, step: (_ done: Int64) throws -> Void
    ) throws {
        let pieces = ranges.map { StreamedCopy.Piece($0, to: shift + $0.lowerBound) }
        try StreamedCopy(pieces, zeroes: block.map { .leaveOut(block: $0) } ?? .write)
            .run(from: source, to: target, step: step)
    }
}
