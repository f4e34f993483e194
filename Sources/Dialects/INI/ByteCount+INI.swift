import Model

extension ByteCount {
    /// A size as image-factory.conf may have it: `2G`, `512 MiB`, `2 TB`, `1.5G`, `1048576`.
    ///
    /// One letter and the forms with `iB` are powers of 1024, `kB` to `EB` powers of 1000, a bare number and `B` bytes.
    /// These are the forms that the older program took for memory and those that it took for disks, in one. Nil if it
    /// is none of them, or 2^63 bytes and more.
    init?(iniSize text: String) {
        let text = INIText(text).stripped
        let whole = text.prefix { ("0"..."9").contains($0) }
        var rest = text.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == "." {
            fraction = rest.dropFirst().prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(1 + fraction.count)
            guard !fraction.isEmpty || !whole.isEmpty else { return nil }
        }
        let unit = rest.drop { $0.isINIBlank }.string
        guard !whole.isEmpty || !fraction.isEmpty, let factor = Self.iniFactor(unit) else { return nil }
        // Half a byte is nothing.
        guard fraction.isEmpty || factor > 1, let count = UInt64(whole.isEmpty ? "0" : whole.string) else { return nil }
        let (product, isTooLarge) = count.multipliedReportingOverflow(by: factor)
        let part = (Double("0." + fraction.string + "0") ?? 0) * Double(factor)
        let (sum, overflows) = product.addingReportingOverflow(UInt64(part.rounded()))
        guard !isTooLarge, !overflows, sum < 1 << 63 else { return nil }
        self.init(sum)
    }

    private static func iniFactor(_ unit: String) -> UInt64? {
        let prefixes: [Character] = ["k", "M", "G", "T", "P", "E"]
        guard let first = unit.first else { return 1 }
        if unit == "B" || unit == "b" { return 1 }
        let letters: [String] = ["K", "M", "G", "T", "P", "E"]
        guard let power = letters.firstIndex(of: first.uppercased()) else { return nil }
        let binary = UInt64(1) << (10 * UInt64(power + 1))
        switch unit.dropFirst() {
        case "": return binary
        // The prefix of 1024 is written with a capital letter, that of 1000 with a small k.
        case "iB": return String(first) == letters[power] ? binary : nil
        case "B": return first == prefixes[power] ? (0...power).reduce(1) { value, _ in value * 1000 } : nil
        default: return nil
        }
    }
}
