import Glibc
import Model
import Store
import SystemPackage
import Synchronization

/// What was found out about the host and stays true while some files do not change: asking programs again would take
/// most of the time of a build that reuses everything.
final class HostFacts: Sendable {
    private struct Fact: Codable {
        /// How the files stood when it was found out.
        var state: String
        var value: String
    }

    private let file: FilePath
    private let facts: Mutex<[String: Fact]>

    init(_ file: FilePath) {
        self.file = file
        let known = (try? DurableFile.read(file)).flatMap { try? Canonical.decode([String: Fact].self, from: $0) }
        facts = Mutex(known ?? [:])
    }

    /// The value of a name, found out anew if one of the files is another one than then.
    func value(_ name: String, of files: [FilePath], find: () async throws -> String) async throws -> String {
        let state = files.map(Self.state).joined(separator: " ")
        if let fact = facts.withLock({ $0[name] }), fact.state == state { return fact.value }
        let value = try await find()
        let bytes = facts.withLock { facts in
            facts[name] = Fact(state: state, value: value)
            return try? Canonical.text(facts)
        }
        // What cannot be kept is found out again next time.
        if let bytes { try? DurableFile.write(Array(bytes.utf8), to: file) }
        return value
    }

    private static func state(_ path: FilePath) -> String {
        var facts = stat()
        guard stat(path.string, &facts) == 0 else { return "\(path):none" }
        return "\(path):\(facts.st_ino):\(facts.st_size):\(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)"
    }
}
