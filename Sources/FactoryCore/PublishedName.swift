import Model

/// What the name of a published file tells.
struct PublishedName: Hashable, Sendable {
    /// `NAME-VERSION`.
    let stem: String
    let kind: InspectedFile.Kind
    /// The file itself, or what the checksum or signature of this name belongs to.
    let file: String

    /// Nil for a name that says of no kind of file.
    init?(_ name: String) {
        var file = name[...]
        for ending in [".minisig", ".sha256sum"] where file.hasSuffix(ending) { file = file.dropLast(ending.count) }
        self.file = String(file)
        let endings: [(String, InspectedFile.Kind)] =
            [
                (".manifest.json", .manifest), (".lock", .lock), (".sbom.spdx.json", .sbom),
                (".provenance.json", .provenance),
            ]
            + Output.Format.allCases.map { ("." + $0.rawValue, .artifact) }
        // The longest that fits: `.tar.zst` also ends with `.zst`.
        guard let (ending, kind) = endings.filter({ file.hasSuffix($0.0) }).max(by: { $0.0.count < $1.0.count })
        else { return nil }
        self.kind = kind
        stem = String(file.dropLast(ending.count))
    }

    /// Whether a name found in a document is that of a file in the same folder.
    static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 255
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }
    }
}
