import Glibc
import Model
package import SystemPackage

/// Writing so that a reader never sees half a file, and a power cut loses none that was seen: a temporary name, fsync,
/// rename, fsync of the folder.
package enum DurableFile {
    /// The calls by which a file is written; others in tests, which fail.
    package struct Calls: Sendable {
        package var write: @Sendable (FileDescriptor, [UInt8]) throws -> Void = { _ = try $0.writeAll($1) }
        package var sync: @Sendable (FileDescriptor) throws -> Void = {
            guard fsync($0.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
        package var rename: @Sendable (FilePath, FilePath) throws -> Void = { try DurableFile.rename($0, to: $1) }

        package init() {}
    }

    /// - Parameter unique: the end of the temporary name. While it is written the file is locked, so that others see
    ///   whether its writer lives.
    package static func write(
        _ bytes: [UInt8], to path: FilePath, permissions: FilePermissions = .init(rawValue: 0o644),
        unique: String = UniqueName.make(), calls: Calls = Calls()
    ) throws {
        let temporary = path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "").\(unique)")
        do {
            let file = try openLocked(temporary, permissions)
            try file.closeAfter {
                try calls.write(file, bytes)
                try calls.sync(file)
                try calls.rename(temporary, path)
            }
        } catch {
            _ = unlink(temporary.string)
            throw FileFailure.error(error, "write", path)
        }
    }

    /// A new file with its lock. Who cleans up may find it before it is locked, and remove it: then it is made again.
    private static func openLocked(_ path: FilePath, _ permissions: FilePermissions) throws -> FileDescriptor {
        for _ in 0..<10 {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: permissions)
            // Where files cannot be locked, nobody cleans up either.
            _ = flock(file.rawValue, LOCK_EX)
            var facts = stat()
            if fstat(file.rawValue, &facts) == 0, facts.st_nlink > 0 { return file }
            try file.close()
        }
        throw Errno.noSuchFileOrDirectory
    }

    /// Renames a finished file or folder to its name, replacing a file of that name, and makes the name durable.
    package static func rename(_ source: FilePath, to target: FilePath) throws(Errno) {
        guard Glibc.rename(source.string, target.string) == 0 else { throw Errno(rawValue: errno) }
        try syncFolder(target.removingLastComponent())
    }

    package static func syncFolder(_ path: FilePath) throws(Errno) {
        let descriptor = open(path.isEmpty ? "." : path.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Waits until a file's content is on the disk.
    package static func sync(_ path: FilePath) throws(Errno) {
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Errno(rawValue: errno) }
    }

    /// The content of a file.
    ///
    /// - Parameter limit: the most bytes; of more, the beginning: for what anybody names, which may be a device.
    package static func read(_ path: FilePath, limit: Int = .max) throws(Errno) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                while bytes.count < limit {
                    let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                    if count == 0 { break }
                    bytes += buffer[..<min(count, limit - bytes.count)]
                }
                return bytes
            }
        } catch {
            throw error as? Errno ?? Errno.ioError
        }
    }
}

/// Names that no other process of this store uses.
package enum UniqueName {
    package static func make() -> String {
        Hexadecimal.string((0..<12).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// Whether a text has the form of such a name.
    package static func isOne(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 24 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }
}
