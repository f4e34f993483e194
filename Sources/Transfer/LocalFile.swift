import Glibc
import Model
import SystemPackage

/// Small files of the store, and facts of large ones.
enum LocalFile {
    /// The first bytes of a file; nil if it is not there. Contained programs may have made the files of the store, so
    /// links are followed only if asked.
    static func read(_ path: FilePath, limit: Int, followingLinks: Bool = false) throws -> [UInt8]? {
        do {
            let options: FileDescriptor.OpenOptions = followingLinks ? .closeOnExec : [.closeOnExec, .noFollow]
            let file = try FileDescriptor.open(path, .readOnly, options: options)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 1 << 14)
                while bytes.count < limit {
                    let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                    if count == 0 { break }
                    bytes += buffer[..<min(count, limit - bytes.count)]
                }
                return bytes
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw FileFailure.error(error, "read", path)
        }
    }

    /// A new file in place of one of that name.
    static func write(_ bytes: [UInt8], _ path: FilePath, mode: mode_t = 0o644, sync: Bool = false) throws {
        do {
            _ = unlink(path.string)
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: FilePermissions(rawValue: mode))
            try file.closeAfter {
                _ = try file.writeAll(bytes)
                if sync, fsync(file.rawValue) != 0 { throw Errno(rawValue: errno) }
            }
        } catch {
            throw FileFailure.error(error, "write", path)
        }
    }

    /// Of a regular file; nil if there is none.
    static func size(_ path: FilePath) -> UInt64? {
        var facts = stat()
        guard lstat(path.string, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return UInt64(facts.st_size)
    }

    static func makeFolder(_ path: FilePath) throws {
        guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else {
            throw FileFailure.error(Errno(rawValue: errno), "make the folder", path, code: .cannotCreate)
        }
    }

    /// Makes a file read-only and the caller's, waits until it is on the disk, and gives it its name in another folder.
    static func keep(_ file: FilePath, as target: FilePath) throws {
        do {
            if geteuid() == 0, lchown(file.string, 0, 0) != 0 { throw Errno(rawValue: errno) }
            guard chmod(file.string, 0o444) == 0 else { throw Errno(rawValue: errno) }
            try sync(file)
            guard rename(file.string, target.string) == 0 else { throw Errno(rawValue: errno) }
            try sync(target.removingLastComponent())
        } catch {
            throw FileFailure.error(error, "keep", target)
        }
    }

    private static func sync(_ path: FilePath) throws {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        try file.closeAfter { guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) } }
    }
}
