import Glibc
import SystemPackage

/// A folder that is gone after the test.
struct TemporaryFolder {
    let path: FilePath

    static func with<Value>(_ body: (TemporaryFolder) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/image-factory-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        defer { remove(path) }
        return try await body(TemporaryFolder(path: path))
    }

    func write(_ text: String, to name: String) throws {
        let file = try FileDescriptor.open(
            path.appending(name), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }

    func read(_ name: String) throws -> String {
        let file = try FileDescriptor.open(path.appending(name), .readOnly)
        return try file.closeAfter {
            var bytes = [UInt8](repeating: 0, count: 65536)
            let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
            return String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    /// Removes the folder and its files; tests here make no folders in it.
    private static func remove(_ path: FilePath) {
        for name in names(in: path.string) { unlink(path.appending(name).string) }
        rmdir(path.string)
    }
}

private func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        names.append(
            withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
}

/// The processes of the host, as far as tests ask.
enum ProcessTable {
    /// How many processes have `argument` in their command lines, as a word or a part of one.
    static func count(withArgument argument: String) -> Int {
        names(in: "/proc").count { name in
            guard let process = Int32(name), process != getpid() else { return false }
            return commandLine(name).contains(argument)
        }
    }

    private static func commandLine(_ process: String) -> String {
        guard let file = try? FileDescriptor.open("/proc/\(process)/cmdline", .readOnly) else { return "" }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Waits until no process, or at least one, has `argument` in its command line. False after ten seconds.
    static func waitUntil(anyWithArgument argument: String, is expected: Bool) async throws -> Bool {
        for _ in 0..<500 {
            if (count(withArgument: argument) > 0) == expected { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}
