package import SystemPackage

import CLinux
import Glibc

/// Files with holes: what they hold, and copies that keep the holes.
///
/// Everything here blocks its thread, checks for the cancellation of its task after each chunk, and moves the position
/// of the descriptors it is given. Nothing is flushed to the disk: that is the caller's.
package enum SparseFile {
    /// What becomes of zeroes that are stored as data.
    package enum Zeroes: Sendable {
        /// They stay data: only holes of the source are holes.
        case keep
        /// Each aligned block of 4 KiB that is all zero becomes a hole.
        case makeHoles
    }

    /// How a copy came to be.
    package enum CopyMethod: Sendable {
        /// The filesystem shares the blocks (FICLONE).
        case cloned
        /// The data extents were copied.
        case copied
    }

    static let chunkSize = 1 << 20

    /// The bytes that a file occupies on its filesystem.
    package static func allocatedSize(of descriptor: FileDescriptor) throws -> Int64 {
        Int64(try status(of: descriptor).st_blocks) * 512
    }

    /// Makes `target` a copy of `source` that has its holes.
    ///
    /// `target` is a regular file opened for reading and writing; what it held is lost. Progress is in bytes of the
    /// logical size. Throws `FileAccessError`, `CancellationError` or what `progress` throws; the target is then of no use.
    @discardableResult
    package static func copy(
        from source: FileDescriptor, to target: FileDescriptor, zeroes: Zeroes = .keep,
        progress: ByteProgress = { _, _ in }
    ) throws -> CopyMethod {
        try refuse(target, sameAs: source)
        let size = try source.logicalSize()
        try target.setSize(0)
        if if_clone_file(source.rawValue, target.rawValue) == 0 {
            if zeroes == .makeHoles { try punchZeroes(in: target) }
            try progress(size, size)
            return .cloned
        }
        try target.setSize(size)
        try copy(
            DataExtents.all(of: source), of: source, to: target,
            dropping: zeroes == .makeHoles ? ZeroRuns.blockSize : nil
        ) { try progress($0, size) }
        try progress(size, size)
        return .copied
    }

    /// Copies the file at `source` to the new file `target`, which must not exist and is removed if the copy fails.
    @discardableResult
    package static func copy(
        from source: FilePath, to target: FilePath, zeroes: Zeroes = .keep, progress: ByteProgress = { _, _ in }
    ) throws -> CopyMethod {
        let input = try FileDescriptor.open(source, .readOnly, options: .closeOnExec)
        defer { try? input.close() }
        let output = try FileDescriptor.open(
            target, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
        defer { try? output.close() }
        do {
            return try copy(from: input, to: output, zeroes: zeroes, progress: progress)
        } catch {
            _ = target.withPlatformString { unlink($0) }
            throw error
        }
    }

    /// Puts the whole content of `source` into `target` at a byte offset: a filesystem into its partition.
    ///
    /// Holes and aligned zero blocks of the source become holes of the target, whatever was there; the target grows
    /// if it is too short.
    package static func place(
        _ source: FileDescriptor, into target: FileDescriptor, at offset: Int64, progress: ByteProgress = { _, _ in }
    ) throws {
        try refuse(target, sameAs: source)
        let size = try source.logicalSize()
        let (end, overflow) = offset.addingReportingOverflow(size)
        guard offset >= 0, !overflow else { throw FileAccessError("place a file", "\(offset) is no offset for it") }
        if try target.logicalSize() < end { try target.setSize(end) }
        try clear(offset..<end, of: target)
        try copy(
            DataExtents.all(of: source), of: source, to: target, shift: offset, dropping: ZeroRuns.blockSize
        ) { try progress($0, size) }
        try progress(size, size)
    }

    /// Makes a range of a file read as zero, as a hole where the filesystem can.
    package static func clear(_ range: Range<Int64>, of target: FileDescriptor) throws {
        guard !range.isEmpty else { return }
        if if_punch_hole(target.rawValue, off_t(range.lowerBound), off_t(range.upperBound - range.lowerBound)) == 0 {
            return
        }
        guard errno == EOPNOTSUPP || errno == ENOSYS else { throw FileAccessError.current("punch a hole") }
        try withChunk(of: chunkSize) { zeroes in
            zeroes.initializeMemory(as: UInt8.self, repeating: 0)
            for start in stride(from: range.lowerBound, to: range.upperBound, by: chunkSize) {
                let count = Int(min(Int64(chunkSize), range.upperBound - start))
                try target.writeFully(at: start, UnsafeRawBufferPointer(rebasing: zeroes[..<count]))
            }
        }
    }

    /// The target is emptied before the copy, so one file under two names would lose everything.
    static func refuse(_ target: FileDescriptor, sameAs source: FileDescriptor) throws {
        let (from, to) = (try status(of: source), try status(of: target))
        guard to.st_mode & S_IFMT == S_IFREG else { throw FileAccessError("copy", "the target is not a regular file") }
        guard from.st_dev != to.st_dev || from.st_ino != to.st_ino else {
            throw FileAccessError("copy", "source and target are the same file")
        }
    }
}
