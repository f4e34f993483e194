import Glibc
import Model
import SystemPackage

/// Folders of a moment.
enum ScratchFolder {
    /// Makes a flat folder in another; it is removed with the files in it when `body` ends.
    static func with<Value>(
        in parent: FilePath, _ body: (FilePath) async throws -> Value
    ) async throws -> Value {
        var template = Array(parent.appending("guest-XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FactoryError(.cannotCreate, "cannot make a folder in \(parent): \(Errno(rawValue: errno))")
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { removeFlat(path) }
        return try await body(FilePath(path))
    }

    /// Removes a folder that has files only.
    static func removeFlat(_ path: String) {
        if let listing = opendir(path) {
            while let entry = readdir(listing) {
                _ = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { unlinkat(dirfd(listing), $0, 0) }
                }
            }
            closedir(listing)
        }
        rmdir(path)
    }
}
