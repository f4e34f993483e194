import DiskFormats
import Filesystems

/// A field of a structure on a disk.
struct Field: Sendable {
    enum Style: Sendable {
        /// Little-endian.
        case number, octal, hexadecimal
        /// Seconds since 1970, u32.
        case time
        case guid, uuid, text
        /// UTF-16.
        case wideText
        /// Bytes that are not shown.
        case opaque
    }

    var name: String
    var offset: Int
    var size: Int
    var style: Style

    init(_ name: String, _ offset: Int, _ size: Int, _ style: Style = .number) {
        self.name = name
        self.offset = offset
        self.size = size
        self.style = style
    }

    /// The value in words, nil if the bytes end before.
    func value(in bytes: ArraySlice<UInt8>) -> String? {
        guard let field = raw(in: bytes) else { return nil }
        switch style {
        case .number: return "\(Self.number(field))"
        case .octal: return "0" + String(Self.number(field), radix: 8)
        case .hexadecimal: return "0x" + String(Self.number(field), radix: 16)
        case .time: return CalendarTime.text(Int64(Self.number(field)))
        case .guid: return GUID(onDisk: field)?.description
        case .uuid:
            let digits = field.map { Self.hexadecimal($0) }
            return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { part in
                digits.count >= 16 ? digits[part].joined() : ""
            }.joined(separator: "-")
        case .text: return "'" + BytePath.text(field.prefix { $0 != 0 }) + "'"
        case .wideText:
            let units = stride(from: field.startIndex, to: field.endIndex - 1, by: 2).map {
                UInt16(field[$0]) | UInt16(field[$0 + 1]) << 8
            }
            return "'" + BytePath.text(String(decoding: units.prefix { $0 != 0 }, as: UTF16.self).utf8) + "'"
        case .opaque: return nil
        }
    }

    func raw(in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard size <= bytes.count, offset <= bytes.count - size else { return nil }
        return bytes[bytes.startIndex + offset..<bytes.startIndex + offset + size]
    }

    /// What differs: `name: 1 → 2`, or nil if nothing does.
    func change(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> String? {
        guard let left = raw(in: one), let right = raw(in: other), !left.elementsEqual(right) else { return nil }
        guard let before = value(in: one), let after = value(in: other) else { return name }
        return "\(name): \(before) → \(after)"
    }

    static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

extension [Field] {
    /// The fields that differ. Checksums are told only if nothing else does: they differ wherever something else does.
    /// Bytes outside of all fields are `other bytes`.
    func changes(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> [String] {
        let differing = filter { $0.change(one, other) != nil }
        var changes = differing.filter { !$0.name.hasSuffix("checksum") }.compactMap { $0.change(one, other) }
        let covered = reduce(into: Set<Int>()) { $0.formUnion($1.offset..<$1.offset + $1.size) }
        let rest = zip(one, other).enumerated().contains { $1.0 != $1.1 && !covered.contains($0) }
        if rest { changes.append("other bytes") }
        return changes.isEmpty ? differing.compactMap { $0.change(one, other) } : changes
    }
}

/// Times for people: `2026-11-21T08:14:52Z`.
enum CalendarTime {
    /// - Parameter seconds: since 1970. Source of the calendar: Howard Hinnant, chrono-Compatible Low-Level Date Algorithms.
    static func text(_ seconds: Int64) -> String {
        guard seconds != 0 else { return "0" }
        guard (-(1 << 40)...1 << 40).contains(seconds) else { return "\(seconds)" }
        let day = (seconds - (seconds % 86400 + 86400) % 86400) / 86400
        let time = (seconds % 86400 + 86400) % 86400
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(year)-\(two(month))-\(two(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1))"
        return "\(date)T\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))Z"
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
