import Dialects
import Model

/// What tests give a dialect in place of the outside world.
enum Native {
    static let distributions = DistributionNames([
        ("debian", [("trixie", ["13"]), ("bookworm", ["12"])], ["main"]),
        ("ubuntu", [("noble", ["24.04"]), ("jammy", ["22.04"])], ["main", "universe"]),
    ])

    /// One file, `/d/motd`, is there.
    static func readFile(_ path: String) throws -> (Digest, ByteCount) {
        guard path == "/d/motd" else {
            throw FactoryError(.missingInput, "No such file or directory")
        }
        return (Digest(of: Array("hello".utf8)), ByteCount(5))
    }

    static func parse(
        _ bytes: [UInt8], set: [(String, String)] = []
    ) throws(InvalidInput) -> (definition: ImageDefinition, warnings: [Diagnostic]) {
        try NativeDialect.parse(
            bytes: bytes, file: "/d/image.yaml", set: set, distributions: distributions,
            files: LocalFiles(read: readFile),
            rules: RuleNames { $0.hasPrefix("H-") ? nil : "unknown rule '\($0)'" })
    }

    static func parse(_ text: String, set: [(String, String)] = []) throws(InvalidInput) -> ImageDefinition {
        try parse(Array(text.utf8), set: set).definition
    }

    /// The problems of a definition, one a line, without the file's name; empty if it has none.
    static func problems(_ bytes: [UInt8], set: [(String, String)] = []) -> String {
        do {
            _ = try parse(bytes, set: set)
            return ""
        } catch {
            return error.diagnostics.map { "\($0.line):\($0.column): \($0.message)" }.joined(separator: "\n")
        }
    }

    static func problems(_ text: String, set: [(String, String)] = []) -> String {
        problems(Array(text.utf8), set: set)
    }

    /// A sound definition of five lines; further keys follow as line 6.
    static func minimal(_ more: String = "") -> String {
        "name: web\nversion: \"1.0\"\nos:\n  distribution: debian\n  release: 13\n" + more
    }
}
