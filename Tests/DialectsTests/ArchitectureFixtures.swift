import Dialects
import Model
import SystemPackage
import TestSupport

/// What tests give the dialect of architecture files.
enum ArchitectureFile {
    static func parse(
        _ bytes: [UInt8], for generation: ArchitectureGeneration = .current
    ) throws(InvalidArchitecture) -> (architecture: ImageArchitecture, warnings: [Diagnostic]) {
        try ArchitectureDialect.parse(
            ArchitectureRequest(bytes: bytes, file: "a.yml", generation: generation, folder: "/d"))
    }

    static func golden(_ name: String) throws -> [UInt8] {
        try RepositoryFiles.bytes(RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/\(name).yml"))
    }

    /// One sound image of four lines, more of which follow.
    static func image(_ more: String) -> String { "owner: me\nimages:\n  a:\n    name: b\n" + more }

    /// A sound image of the older form, one of whose keys has another value or, without one, is not there.
    static func seed(_ key: String, _ value: String?) -> String {
        let digest = String(repeating: "0a", count: 32)
        var values = [
            "name": "b", "version": "1", "get_url": "http://h/b.qcow2",
            "checksum": "{type: sha256, value: \(digest)}", "size": "1G",
        ]
        values[key] = value
        return "owner: me\nimages:\n  a:\n"
            + ["name", "version", "get_url", "checksum", "size"].compactMap { key in
                values[key].map { "    \(key): \($0)\n" }
            }.joined()
    }

    static func failure(_ text: String, for generation: ArchitectureGeneration = .current) -> InvalidArchitecture? {
        do {
            _ = try parse(Array(text.utf8), for: generation)
            return nil
        } catch { return error }
    }

    /// The problems, one a line, without the file's name; empty if there are none.
    static func problems(_ text: String, for generation: ArchitectureGeneration = .current) -> String {
        failure(text, for: generation)?.input.diagnostics.filter { $0.severity == .error }
            .map { "\($0.line):\($0.column): \($0.message)" }.joined(separator: "\n") ?? ""
    }

    static func warnings(_ text: String, for generation: ArchitectureGeneration = .current) throws -> [String] {
        try parse(Array(text.utf8), for: generation).warnings.map { "\($0.line):\($0.column): \($0.message)" }
    }
}
