/// What user-data or vendor-data is, by its first bytes, as cloud-init decides it.
package enum UserDataKind: Hashable, Sendable {
    case cloudConfig
    case script
    /// Anything else that has a first line of its own.
    case other
    /// A message of parts, with headers.
    case mime
    case compressed
    case empty
    /// cloud-init ignores it, with a warning.
    case unknown

    private static let firstLines = [
        "#include", "#part-handler", "#cloud-boothook", "## template: jinja", "#cloud-config-jsonp",
        "#cloud-config-archive", "#upstart-job",
    ]

    package init(_ bytes: [UInt8]) {
        let blanks: [UInt8] = [0x20, 0x09, 0x0a, 0x0d]
        if bytes.allSatisfy(blanks.contains) {
            self = .empty
        } else if bytes.starts(with: [0x1f, 0x8b]) {
            self = .compressed
        } else if Self.hasHeaders(bytes) {
            self = .mime
        } else if Self.firstLines.contains(where: { bytes.starts(with: $0.utf8) }) {
            self = .other
        } else if bytes.starts(with: "#cloud-config".utf8) {
            self = .cloudConfig
        } else {
            self = bytes.starts(with: "#!".utf8) ? .script : .unknown
        }
    }

    /// cloud-init looks for this word in the first bytes.
    private static func hasHeaders(_ bytes: [UInt8]) -> Bool {
        String(decoding: bytes.prefix(4096), as: UTF8.self).lowercased().contains("mime-version:")
    }
}
