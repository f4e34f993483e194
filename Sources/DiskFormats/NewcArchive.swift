/// A cpio archive of the kind that a Linux kernel unpacks as its initial file system ("newc").
///
///     each entry   "070701" and 13 numbers of 8 hexadecimal digits: inode, mode, uid, gid, links, time, size,
///                  device (major, minor), special device (major, minor), length of the name with its NUL, 0
///                  name, NUL, zeroes up to a multiple of 4; content, zeroes up to a multiple of 4
///     last entry   named "TRAILER!!!"
///
/// A kernel unpacks several archives one after the other, compressed or not, if each begins at a multiple of 4; later
/// files take the place of earlier ones. Source: Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
package struct NewcArchive: Sendable {
    /// The archive so far, without its end.
    private var content: [UInt8] = []
    private var inode: UInt32 = 1

    package init() {}

    /// Adds a regular file of root with a path from the root folder: `preseed.cfg`. Its time is zero, so that the same
    /// files are the same archive. Throws `FileAccessError` for what the format cannot hold.
    package mutating func add(_ path: String, _ bytes: [UInt8], mode: UInt16 = 0o644) throws {
        guard let size = UInt32(exactly: bytes.count) else {
            throw FileAccessError("add \(path) to an archive", "it has more than 4 GiB")
        }
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw FileAccessError("add a file to an archive", "'\(path)' is no path")
        }
        append(path, mode: 0o100000 | UInt32(mode), size: size)
        content += bytes
        pad()
        inode += 1
    }

    /// The complete archive: a multiple of 4 bytes.
    package func bytes() -> [UInt8] {
        var complete = self
        complete.inode = 0
        complete.append("TRAILER!!!", mode: 0, size: 0)
        return complete.content
    }

    private mutating func append(_ name: String, mode: UInt32, size: UInt32) {
        let numbers = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, UInt32(name.utf8.count + 1), 0]
        content += "070701".utf8
        for number in numbers {
            let digits = String(number, radix: 16, uppercase: true)
            content += String(repeating: "0", count: 8 - digits.count).utf8
            content += digits.utf8
        }
        content += name.utf8
        content.append(0)
        pad()
    }

    private mutating func pad() { content += [UInt8](repeating: 0, count: (4 - content.count % 4) % 4) }
}
