import Glibc
import SystemPackage
import Tooling

/// A folder that is gone after the test, with all that is in it.
struct TemporaryFolder {
    let path: FilePath

    static func with<Value>(_ body: (TemporaryFolder) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/image-factory-e2e-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        // Contained processes and the account of a test reach what is in it.
        chmod(path.string, 0o755)
        do {
            let value = try await body(TemporaryFolder(path: path))
            try await remove(path)
            return value
        } catch {
            try? await remove(path)
            throw error
        }
    }

    private static func remove(_ path: FilePath) async throws {
        // A task of its own: the test's may be cancelled already.
        _ = try await Task.detached {
            try await ProgramUnderTest.runner.runChecked(
                Command("rm", ["-rf", "--one-file-system", path.string]), activity: "removing \(path)")
        }.value
    }

    /// Makes a folder in this one.
    func makeFolder(_ name: String) throws -> TemporaryFolder {
        let folder = path.appending(name)
        guard mkdir(folder.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        return TemporaryFolder(path: folder)
    }

    func write(_ text: String, to name: String) throws {
        let file = try FileDescriptor.open(
            path.appending(name), .writeOnly, options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        _ = try file.closeAfter { try file.writeAll(text.utf8) }
    }

    func read(_ name: String) throws -> [UInt8] { try readFile(path.appending(name)) }

    var names: [String] { namesIn(path) }
}

/// All bytes of a file, also of one in /proc, whose size is not known before.
func readFile(_ path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += buffer.prefix(count)
        }
        return bytes
    }
}

/// What is in a folder, in no order.
func namesIn(_ folder: FilePath) -> [String] {
    guard let stream = opendir(folder.string) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
