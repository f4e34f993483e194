import Glibc
import Model
import SystemPackage

/// Files of the host or of the step's own folders, read and written as a whole.
enum WholeFile {
    static func text(_ path: FilePath) throws -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }

    static func bytes(_ path: FilePath) throws -> [UInt8] {
        do { return try content(path) } catch { throw FileFailure.error(error, "read", path) }
    }

    private static func content(_ path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
        }
    }

    static func write(_ text: String, _ path: FilePath, mode: FilePermissions = .init(rawValue: 0o644)) throws {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: mode)
            try file.closeAfter { _ = try file.writeAll(Array(text.utf8)) }
        } catch {
            throw FileFailure.error(error, "write", path)
        }
    }

    /// Waits until a file or a folder is on the disk.
    static func sync(_ path: FilePath) throws {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        try file.closeAfter { guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) } }
    }
}
