/// A number of bytes.
package struct ByteCount: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let bytes: UInt64

    package init(_ bytes: UInt64) { self.bytes = bytes }

    package static func kibi(_ count: UInt64) -> ByteCount { ByteCount(count << 10) }
    package static func mebi(_ count: UInt64) -> ByteCount { ByteCount(count << 20) }
    package static func gibi(_ count: UInt64) -> ByteCount { ByteCount(count << 30) }

    /// A size as people write it: `512M`, `20G`, `1.5GiB`, `1048576`. One letter and the forms with `iB` are powers
    /// of 1024; `kB`, `MB`, `GB` and `TB` are powers of 1000. Nil if it is not a size, or more than 2^63 bytes.
    package init?(parsing text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let units: [String: Double] = [
            "": 1, "b": 1, "k": 0x1p10, "kib": 0x1p10, "m": 0x1p20, "mib": 0x1p20, "g": 0x1p30, "gib": 0x1p30,
            "t": 0x1p40, "tib": 0x1p40, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
        ]
        guard let factor = units[unit], let number = Double(digits), number >= 0 else { return nil }
        let value = (number * factor).rounded()
        guard value < 0x1p63 else { return nil }
        bytes = UInt64(value)
    }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    /// The next multiple of `unit`.
    package func rounded(upTo unit: ByteCount) -> ByteCount {
        ByteCount((bytes + unit.bytes - 1) / unit.bytes * unit.bytes)
    }

    /// For people: `1.4 GiB`.
    package var description: String {
        let names = ["KiB", "MiB", "GiB", "TiB"]
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        var at = 0
        while value >= 1023.95, at < names.count - 1 {
            value /= 1024
            at += 1
        }
        let tenths = UInt64((value * 10).rounded())
        return value >= 100 ? "\(tenths / 10) \(names[at])" : "\(tenths / 10).\(tenths % 10) \(names[at])"
    }

    package init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(UInt64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}
