import FoundationEssentials
import Glibc
import SystemPackage

/// A folder that is there while a test uses it.
func withTemporaryFolder<R>(_ body: (FilePath) async throws -> R) async throws -> R {
    var template = Array("/tmp/image-factory-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // It ends with a zero.
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(FilePath(path))
}

/// Writes a new file.
func writeFile(_ bytes: some Sequence<UInt8>, to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .exclusiveCreate], permissions: FilePermissions(rawValue: 0o644))
    try file.closeAfter { _ = try file.writeAll(bytes) }
}

/// All of a file; nil if it cannot be read.
func readFile(_ path: FilePath) -> [UInt8]? {
    guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
    defer { try? file.close() }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
        bytes += buffer[..<count]
    }
    return bytes
}

/// The names in a folder, sorted.
func names(in folder: FilePath) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []).sorted()
}
