package import SystemPackage

import CLinux
import Glibc

extension SparseFile {
    /// What of a disk is a hole in a copy if it is zero: a cluster of our qcow2 files, so that their writer need not look.
    private static let zeroBlock = 128 << 10

    /// Makes `target` a copy of `source` in which the `unused` ranges are holes and other holes stay; blocks of 128 KiB that
    /// are all zero become holes too.
    ///
    /// `target` is a regular file opened for reading and writing; what it held is lost. Progress is in bytes of the
    /// logical size. Throws `FileAccessError`, `CancellationError` or what `progress` throws; the target is then of no use.
    @discardableResult
    package static func copy(
        from source: FileDescriptor, to target: FileDescriptor, leavingOut unused: ByteRanges,
        progress: ByteProgress = { _, _ in }
    ) throws -> CopyMethod {
        try refuse(target, sameAs: source)
        let size = try source.logicalSize()
        try target.setSize(0)
        if if_clone_file(source.rawValue, target.rawValue) == 0 {
            try free(unused, of: target)
            try progress(size, size)
            return .cloned
        }
        try target.setSize(size)
        let used = ByteRanges(try DataExtents.all(of: source)).subtracting(unused)
        try copy(used.ranges, of: source, to: target, dropping: zeroBlock) { try progress($0, size) }
        try progress(size, size)
        return .copied
    }

    /// Makes `target`, a regular file opened for reading and writing, a copy of a range of `source`: a partition as a
    /// file of its own. Holes stay.
    package static func extract(_ range: Range<Int64>, of source: FileDescriptor, to target: FileDescriptor) throws {
        try refuse(target, sameAs: source)
        try target.setSize(0)
        try target.setSize(range.upperBound - range.lowerBound)
        let data = ByteRanges(try DataExtents.all(of: source)).intersection(ByteRanges([range]))
        try copy(data.ranges, of: source, to: target, shift: -range.lowerBound) { _ in }
    }

    /// Makes ranges of a file holes where they are none yet; returns the bytes that were data.
    @discardableResult
    package static func free(_ unused: ByteRanges, of target: FileDescriptor) throws -> Int64 {
        let data = ByteRanges(try DataExtents.all(of: target)).intersection(unused)
        for range in data.ranges {
            try Task.checkCancellation()
            try clear(range, of: target)
        }
        return data.count
    }
}
