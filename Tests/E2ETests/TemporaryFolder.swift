import Glibc
import SystemPackage
import TestSupport

/// A folder that is gone after the test. Contained processes and the account of a test reach what is in it.
struct TemporaryFolder {
    let path: FilePath

    static func with<Value>(_ body: (TemporaryFolder) async throws -> Value) async throws -> Value {
        try await Scratch.with { scratch in
            chmod(scratch.path.string, 0o755)
            return try await body(TemporaryFolder(path: scratch.path))
        }
    }

    /// Makes a folder in this one.
    func makeFolder(_ name: String) throws -> TemporaryFolder {
        let folder = path.appending(name)
        guard mkdir(folder.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        return TemporaryFolder(path: folder)
    }

    func write(_ text: String, to name: String) throws { try Scratch.write(text, path.appending(name)) }

    func read(_ name: String) throws -> [UInt8] { try RepositoryFiles.bytes(path.appending(name)) }

    var names: [String] { Scratch.names(path) }
}
