import Glibc
package import SystemPackage

/// A folder that is gone after the test, whatever the test made in it.
package struct Scratch: Sendable {
    package let path: FilePath

    package static func with<Value>(_ body: (Scratch) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/image-factory-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        defer { remove(path) }
        return try await body(Scratch(path: path))
    }

    package static func write(_ text: String, _ path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }

    package static func read(_ path: FilePath) throws -> String {
        String(decoding: try RepositoryFiles.bytes(path), as: UTF8.self)
    }

    /// The names in a folder, sorted, those with a dot in front too.
    package static func names(_ path: FilePath) -> [String] {
        guard let handle = opendir(path.string) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// By bytes: a test may have made names that are no UTF-8.
    private static func remove(_ path: FilePath) {
        if path.withPlatformString({ unlink($0) }) == 0 { return }
        _ = path.withPlatformString { chmod($0, 0o700) }
        if let handle = path.withPlatformString({ opendir($0) }) {
            defer { closedir(handle) }
            while let entry = readdir(handle) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    bytes.baseAddress.flatMap {
                        FilePath.Component(platformString: $0.assumingMemoryBound(to: CInterop.PlatformChar.self))
                    }
                }
                if let name, name.kind == .regular { remove(path.appending(name)) }
            }
        }
        _ = path.withPlatformString { rmdir($0) }
    }
}
