import Glibc
import Model
import SystemPackage

/// Files that fit in memory.
enum SmallFile {
    /// All of a regular file that has at most `limit` bytes; a link at its place is not followed.
    static func read(_ path: FilePath, limit: Int = 16 << 20) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
        return try file.closeAfter {
            var status = stat()
            guard fstat(file.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw Errno.invalidArgument
            }
            return try contents(of: file, limit: limit)
        }
    }

    /// All that an open file holds, at most `limit` bytes.
    static func contents(of file: FileDescriptor, limit: Int = 16 << 20) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else { throw Errno.fileTooLarge }
            bytes += buffer[..<count]
        }
    }

    /// Makes a new file.
    static func create(_ path: FilePath, _ bytes: [UInt8]) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: FilePermissions(rawValue: 0o644))
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }
}
