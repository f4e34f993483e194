import Model

/// A Debian copyright file in its machine-readable form (DEP-5,
/// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/): paragraphs of fields, of which only the
/// licences' names are of interest. The file is whatever a package brings, so everything about it has a limit.
enum CopyrightFile {
    static let largest = 4 << 20
    private static let mostLicenses = 256
    private static let longestLicense = 256

    /// The licences that a package states; nil if it says nothing that a machine can read.
    static func licenses(of package: String, in tree: TreeRoot) throws -> [String]? {
        guard let bytes = try tree.read("/usr/share/doc/\(package)/copyright", atMost: largest) else { return nil }
        return licenses(in: bytes)
    }

    static func licenses(in bytes: [UInt8]) -> [String]? {
        var found: Set<String> = []
        var isFirst = true
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if isFirst {
                guard isMachineReadable(line) else { return nil }
                isFirst = false
            }
            guard let name = value(of: "license:", in: line), !name.isEmpty else { continue }
            guard found.count < mostLicenses, name.utf8.count <= longestLicense else { return nil }
            found.insert(name)
        }
        return found.isEmpty ? nil : found.sorted()
    }

    /// The first field names the format; drafts had other addresses for it.
    private static func isMachineReadable(_ line: ArraySlice<UInt8>) -> Bool {
        guard let format = value(of: "format:", in: line) ?? value(of: "format-specification:", in: line) else {
            return false
        }
        return ["copyright-format", "dep5", "DEP5", "DEP-5", "dep-5"].contains { format.contains($0) }
    }

    /// The words after a field's name, one space between them; nil if the line is another field's.
    private static func value(of field: String, in line: ArraySlice<UInt8>) -> String? {
        let name = Array(field.utf8)
        guard line.count >= name.count, zip(line, name).allSatisfy({ lowercased($0) == $1 }) else { return nil }
        let words = line.dropFirst(name.count).split { $0 <= 0x20 || $0 == 0x7f }
        return words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
}
