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

    /// Writes the data extents of `source` at `offset` of a target that has holes there. With `dropping`, zero blocks
    /// are left out.
    static func copyData(
        of source: FileDescriptor, to target: FileDescriptor, at offset: Int64, dropping: Bool, progress: ByteProgress
    ) throws {
        let size = try source.logicalSize()
        var extents = try DataExtents(of: source)
        var inKernel = !dropping
        try withChunk(of: chunkSize) { chunk in
            while let extent = try extents.next() {
                var rest = extent
                if inKernel {
                    rest = try copyInKernel(extent, of: source, to: target, at: offset) { try progress($0, size) }
                    inKernel = rest.isEmpty
                }
                try chunk.forEachChunk(of: rest, in: source) { at, bytes in
                    try write(bytes, to: target, at: offset + at, dropping: dropping)
                    try progress(at + Int64(bytes.count), size)
                }
            }
        }
    }

    /// Writes ranges of `source` to a target that has holes there, each `shift` bytes further on.
    ///
    /// By reading and writing: where nothing can be shared, copy_file_range goes from page to page and takes up to twice
    /// the time of the kernel (ext4, Linux 6.18).
    static func copy(
        _ ranges: [Range<Int64>], of source: FileDescriptor, to target: FileDescriptor, shift: Int64 = 0,
        step: (_ done: Int64) throws -> Void
    ) throws {
        try withChunk(of: chunkSize) { chunk in
            for range in ranges {
                try chunk.forEachChunk(of: range, in: source) { at, bytes in
                    try target.writeFully(at: shift + at, bytes)
                    try step(at + Int64(bytes.count))
                }
            }
        }
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, to target: FileDescriptor, at offset: Int64, dropping: Bool
    ) throws {
        guard dropping else { return try target.writeFully(at: offset, bytes) }
        try ZeroRuns.forEach(in: bytes) { run, zero in
            guard !zero else { return }
            try target.writeFully(at: offset + Int64(run.lowerBound), UnsafeRawBufferPointer(rebasing: bytes[run]))
        }
    }

    /// Copies with copy_file_range as far as the kernel can; returns what is left to copy.
    private static func copyInKernel(
        _ extent: Range<Int64>, of source: FileDescriptor, to target: FileDescriptor, at offset: Int64,
        step: (_ done: Int64) throws -> Void
    ) throws -> Range<Int64> {
        var at = extent.lowerBound
        while at < extent.upperBound {
            try Task.checkCancellation()
            let length = Int(min(extent.upperBound - at, 16 << 20))
            let count = if_copy_range(source.rawValue, off_t(at), target.rawValue, off_t(offset + at), length)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == ENOSPC || errno == EDQUOT || errno == EIO {
                throw FileAccessError.current("copy")
            }
            // Every other refusal is a kernel or a pair of filesystems that cannot: reading and writing tells the truth.
            guard count > 0 else { break }
            at += Int64(count)
            try step(at)
        }
        return at..<extent.upperBound
    }
}
