import SystemPackage

import CLinux
import Glibc

/// Data that is read or written once and is large goes past the page cache: it would push out what others need, and on
/// virtual machines whose host takes unused memory back, each new page of it costs more than its way to the disk.
private enum DirectAccess {
    /// What offsets, lengths and addresses have to be multiples of: enough for disks with sectors of up to 4 KiB.
    static let unit = 4096
    /// Less is not worth a wait for the disk: the page cache joins small writes, and reads ahead.
    static let least = 256 << 10

    static func suits(_ bytes: UnsafeRawBufferPointer, at offset: Int64) -> Bool {
        bytes.count >= least && bytes.count % unit == 0 && offset % Int64(unit) == 0
            && Int(bitPattern: bytes.baseAddress) % unit == 0
    }
}

/// A file that is read once: what the page cache has comes from there, the rest from the disk.
struct OneTimeSource: Sendable {
    private let file: FileDescriptor
    /// The same file past the page cache; nil where the filesystem cannot.
    private let direct: FileDescriptor?

    /// Lends the file to `body`.
    static func with<Result>(_ file: FileDescriptor, _ body: (OneTimeSource) throws -> Result) rethrows -> Result {
        let descriptor = if_open_direct(file.rawValue)
        defer { if descriptor >= 0 { close(descriptor) } }
        return try body(
            OneTimeSource(file: file, direct: descriptor < 0 ? nil : FileDescriptor(rawValue: descriptor)))
    }

    /// Fills the buffer. Throws `FileAccessError`, also if the file ends before.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws {
        let done = readPastCache(at: offset, into: buffer)
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        guard try file.readFully(at: offset + Int64(done), into: rest) == rest.count else {
            throw FileAccessError("read", "the file became shorter")
        }
    }

    /// Returns the bytes read: where they are fewer than wanted, reading in the usual way tells why.
    private func readPastCache(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let direct, DirectAccess.suits(UnsafeRawBufferPointer(buffer), at: offset) else { return 0 }
        guard if_is_cached(file.rawValue, off_t(offset), buffer.count) != 1 else { return 0 }
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(direct.rawValue, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            guard count > 0, count % DirectAccess.unit == 0 else { break }
            done += count
        }
        return done
    }
}

/// A file that is written once, by one thread.
struct OneTimeTarget {
    private let file: FileDescriptor
    private var isDirect = false
    private var canBeDirect = true

    /// Lends the file to `body`; its flags are what they were afterwards.
    static func with<Result>(
        _ file: FileDescriptor, _ body: (inout OneTimeTarget) throws -> Result
    ) throws -> Result {
        var target = OneTimeTarget(file: file)
        defer { target.set(direct: false) }
        return try body(&target)
    }

    private init(file: FileDescriptor) { self.file = file }

    mutating func write(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws {
        set(direct: canBeDirect && DirectAccess.suits(bytes, at: offset))
        var done = 0
        while isDirect, done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(file.rawValue, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if count > 0 {
                done += count
                if done % DirectAccess.unit != 0 { break }
            } else if count == 0 || errno == EINVAL || errno == EOPNOTSUPP {
                canBeDirect = false
                break
            } else if errno != EINTR {
                throw FileAccessError.current("write")
            }
        }
        guard done < bytes.count else { return }
        set(direct: false)
        try file.writeFully(at: offset + Int64(done), UnsafeRawBufferPointer(rebasing: bytes[done...]))
    }

    private mutating func set(direct: Bool) {
        guard direct != isDirect else { return }
        if if_set_direct(file.rawValue, direct ? 1 : 0) == 0 { isDirect = direct } else { canBeDirect = false }
    }
}
