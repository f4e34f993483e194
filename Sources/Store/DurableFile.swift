import Glibc
package import Model
package import SystemPackage

/// Writing so that a reader never sees half a file, and a power cut loses none that was seen: a temporary name, fsync,
/// rename, fsync of the folder.
package enum DurableFile {
    package static func write(
        _ bytes: [UInt8], to path: FilePath, permissions: FilePermissions = .init(rawValue: 0o644)
    )
        throws
    {
        let temporary = path.removingLastComponent().appending(
            ".\(path.lastComponent?.string ?? "").\(UniqueName.make())")
        do {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: permissions)
            try file.closeAfter {
                _ = try file.writeAll(bytes)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            try rename(temporary, to: path)
        } catch {
            _ = unlink(temporary.string)
            throw FileFailure.error(error, "write", path)
        }
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

    package static func read(_ path: FilePath) throws(Errno) -> [UInt8] {
        do {
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
        } catch {
            throw error as? Errno ?? Errno.ioError
        }
    }
}

/// A failed file operation as a user reads it.
package enum FileFailure {
    package static func error(
        _ error: any Error, _ verb: String, _ path: FilePath, code: FactoryError.Code = .inputOutput
    ) -> FactoryError {
        guard let number = error as? Errno else {
            return FactoryError(code, "cannot \(verb) \(path): \(error)")
        }
        let remedy: String? =
            switch number {
            case .noSpace: "free some space there, or run 'image-factory prune'"
            case .diskQuotaExceeded: "free some of your quota, or run 'image-factory prune'"
            case .notDirectory, .fileExists: "choose another folder: a file is in the way"
            case .permissionDenied, .notPermitted: "give your user access to \(path.removingLastComponent())"
            case .readOnlyFileSystem: "choose a folder that can be written"
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "raise the limit of open files (ulimit -n)"
            default: nil
            }
        return FactoryError(code, "cannot \(verb) \(path): \(number)", remedy: remedy)
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
