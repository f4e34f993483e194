import Model
import Store
package import SystemPackage

/// Files that a command writes where it is told to.
package enum WholeText {
    /// Reads a file of at most 1 MiB. Throws `FactoryError`.
    package static func read(_ path: FilePath) throws -> String {
        do {
            return String(decoding: try DurableFile.read(path, limit: 1 << 20), as: UTF8.self)
        } catch {
            throw FileFailure.error(error, "read", path, code: .missingInput)
        }
    }

    /// Writes a file, whole or not at all. Throws `FactoryError`.
    package static func write(_ text: String, to path: FilePath) throws {
        try write(Array(text.utf8), to: path)
    }

    /// Writes a file, whole or not at all. Throws `FactoryError`.
    ///
    /// - Parameter permissions: before the umask.
    package static func write(
        _ bytes: [UInt8], to path: FilePath, permissions: FilePermissions = .init(rawValue: 0o644)
    ) throws {
        do {
            try DurableFile.write(bytes, to: path, permissions: permissions)
        } catch {
            throw FileFailure.error(error, "write", path, code: .cannotCreate)
        }
    }
}
