package import SystemPackage

/// Bytes that can be read at any place: a disk image, or its bytes in memory.
package protocol ByteSource {
    /// The size in bytes.
    var size: UInt64 { get }

    /// Up to `count` bytes from `offset`: fewer at the end, none behind it.
    func bytes(at offset: UInt64, count: Int) throws -> ByteFields
}

extension ByteSource {
    /// Exactly `count` bytes, or nil if the source ends before.
    func whole(at offset: UInt64, count: Int) throws -> ByteFields? {
        let found = try bytes(at: offset, count: count)
        return found.count == count ? found : nil
    }
}

/// The content of an open file. Its size is the one it had when this was made.
package struct FileBytes: ByteSource {
    private let descriptor: FileDescriptor
    package let size: UInt64

    package init(_ descriptor: FileDescriptor) throws {
        self.descriptor = descriptor
        size = UInt64(try descriptor.logicalSize())
    }

    package func bytes(at offset: UInt64, count: Int) throws -> ByteFields {
        guard offset < size, count > 0, let start = Int64(exactly: offset) else { return ByteFields([]) }
        let length = Int(min(UInt64(count), size - offset))
        var data = [UInt8](repeating: 0, count: length)
        let got = try data.withUnsafeMutableBytes { try descriptor.readFully(at: start, into: $0) }
        return ByteFields(Array(data.prefix(got)))
    }
}

/// Bytes of a structure, with numbers read out of them. What lies outside is nil, never a trap.
package struct ByteFields: ByteSource, Hashable, Sendable {
    package let content: [UInt8]

    package init(_ content: [UInt8]) { self.content = content }

    package var count: Int { content.count }
    package var size: UInt64 { UInt64(content.count) }

    package func bytes(at offset: UInt64, count: Int) -> ByteFields {
        guard offset < size, count > 0 else { return ByteFields([]) }
        let start = Int(offset)
        return ByteFields(Array(content[start..<start + min(count, content.count - start)]))
    }

    /// The bytes at a place, or nil if not all of them are there.
    func slice(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, offset <= content.count, count <= content.count - offset else { return nil }
        return content[offset..<offset + count]
    }

    /// A little-endian number.
    func little<Number: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as _: Number.Type = Number.self) -> Number?
    {
        slice(offset, Number.bitWidth / 8)?.reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    /// A big-endian number.
    func big<Number: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as _: Number.Type = Number.self) -> Number? {
        slice(offset, Number.bitWidth / 8)?.reduce(0) { $0 << 8 | Number($1) }
    }

    /// Whether these bytes stand at a place.
    func has(_ expected: [UInt8], at offset: Int = 0) -> Bool {
        slice(offset, expected.count).map { $0.elementsEqual(expected) } ?? false
    }

    func has(_ expected: String, at offset: Int = 0) -> Bool { has(Array(expected.utf8), at: offset) }

    /// Text up to a NUL or the end of the field, without trailing spaces; nil if the field is not there.
    package func text(_ offset: Int, _ count: Int) -> String? {
        guard let field = slice(offset, count)?.prefix(while: { $0 != 0 }) else { return nil }
        let trimmed = field.reversed().drop { $0 == UInt8(ascii: " ") }.reversed()
        return String(decoding: Array(trimmed), as: UTF8.self)
    }
}

/// `a * b + c`, or nil if that is more than 2^64-1.
func product(_ a: UInt64, _ b: UInt64, plus c: UInt64 = 0) -> UInt64? {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    guard !overflow else { return nil }
    let (sum, carry) = value.addingReportingOverflow(c)
    return carry ? nil : sum
}
