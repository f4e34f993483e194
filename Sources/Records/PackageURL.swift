import Model

/// The name of a Debian package that other tools understand (package-url, type `deb`).
enum PackageURL {
    /// `pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=bookworm`
    static func of(_ package: InstalledPackage, distribution: String, suite: String) -> String {
        "pkg:deb/\(encoded(distribution))/\(encoded(package.name))@\(encoded(package.version))"
            + "?arch=\(encoded(package.architecture))&distro=\(encoded(suite))"
    }

    /// Percent-encoded but for letters, digits, `.-_~` and the colon, as the specification has it.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: ":"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + Hexadecimal.string([byte]).uppercased()
            }
        }
        return result
    }
}
