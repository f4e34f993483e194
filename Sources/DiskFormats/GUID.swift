/// A GUID as disks hold it: its first three fields are little-endian.
package struct GUID: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes as they stand on the disk.
    package let bytes: [UInt8]

    /// Where the bytes of the text form stand on the disk.
    private static let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]

    /// Nil if there are not 16 bytes.
    package init?(onDisk bytes: some Sequence<UInt8>) {
        let all = Array(bytes)
        guard all.count == 16 else { return nil }
        self.bytes = all
    }

    /// A GUID in its text form, in either case.
    package init?(_ text: String) {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        let digits = groups.joined().compactMap { Character(UnicodeScalar($0)).hexDigitValue.map { UInt8($0) } }
        guard digits.count == 32 else { return nil }
        var value = [UInt8](repeating: 0, count: 16)
        for (at, place) in Self.order.enumerated() { value[place] = digits[2 * at] << 4 | digits[2 * at + 1] }
        bytes = value
    }

    /// Upper-case text, as sfdisk prints it.
    package var description: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for (at, place) in Self.order.enumerated() {
            if [4, 6, 8, 10].contains(at) { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(bytes[place] >> 4)])
            text.append(digits[Int(bytes[place] & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether it is the GUID of nothing.
    package var isZero: Bool { bytes.allSatisfy { $0 == 0 } }
}
