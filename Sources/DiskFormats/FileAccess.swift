import SystemPackage

import Glibc

/// A system call on an image file failed, or the file is not what the call needs.
package struct FileAccessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, in words: "read", "punch a hole".
    package let operation: String
    /// Why not, in words.
    package let reason: String

    package init(_ operation: String, _ reason: String) {
        self.operation = operation
        self.reason = reason
    }

    /// The failure of the call that just returned -1.
    static func current(_ operation: String) -> FileAccessError {
        FileAccessError(operation, Errno(rawValue: errno).description)
    }

    package var description: String { "cannot \(operation): \(reason)" }
}

/// Called after each chunk with bytes done and bytes in all; what it throws ends the work.
package typealias ByteProgress = (_ done: Int64, _ total: Int64) throws -> Void

extension FileDescriptor {
    /// The size in bytes of a regular file or a block device. Moves the file's position.
    func logicalSize() throws -> Int64 {
        let end = Glibc.lseek(rawValue, 0, SEEK_END)
        guard end >= 0 else { throw FileAccessError.current("find the size of the file") }
        return Int64(end)
    }

    /// Reads until the buffer is full or the file ends; returns the bytes read.
    func readFully(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = Glibc.pread(rawValue, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if count == 0 { break }
            if count > 0 { done += count } else if errno != EINTR { throw FileAccessError.current("read") }
        }
        return done
    }

    func writeFully(at offset: Int64, _ buffer: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
            let count = Glibc.pwrite(rawValue, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw FileAccessError.current("write")
            }
        }
    }

    func setSize(_ size: Int64) throws {
        guard ftruncate(rawValue, off_t(size)) == 0 else { throw FileAccessError.current("set the size of the file") }
    }
}

/// What fstat(2) says. Not a method, because there `stat` is something else.
func status(of descriptor: FileDescriptor) throws -> stat {
    var value = stat()
    guard fstat(descriptor.rawValue, &value) == 0 else { throw FileAccessError.current("look at the file") }
    return value
}

/// Page-aligned memory for reads and writes, freed with the scope.
func withChunk<Result>(
    of count: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
) rethrows -> Result {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4096)
    defer { buffer.deallocate() }
    return try body(buffer)
}

extension UnsafeMutableRawBufferPointer {
    /// Fills itself again and again with the bytes of a range of a file, in order, and checks before each time whether
    /// the task is cancelled. The chunks begin at multiples of its size, counted from the start of the range.
    func forEachChunk(
        of range: Range<Int64>, in descriptor: FileDescriptor,
        _ body: (_ at: Int64, _ bytes: UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var at = range.lowerBound
        while at < range.upperBound {
            try Task.checkCancellation()
            let wanted = Int(Swift.min(Int64(count), range.upperBound - at))
            let part = UnsafeMutableRawBufferPointer(rebasing: self[..<wanted])
            guard try descriptor.readFully(at: at, into: part) == wanted else {
                throw FileAccessError("read", "the file became shorter")
            }
            try body(at, UnsafeRawBufferPointer(part))
            at += Int64(wanted)
        }
    }
}
