import Filesystems

/// A member of a tar file.
struct TarMember: Hashable {
    /// As it stands in the archive, without slashes at the end and `./` in front.
    var path: BytePath
    /// The type flag: `0` file, `5` folder, `2` symbolic link.
    var type: UInt8
    var mode: UInt64
    var user: UInt64
    var group: UInt64
    var userName: [UInt8]
    var groupName: [UInt8]
    /// In bytes.
    var size: UInt64
    /// As it stands there: seconds since 1970, with a fraction in pax records.
    var modified: [UInt8]
    var link: [UInt8]
    var device: [UInt64]
    /// Further pax records, such as `SCHILY.xattr.security.capability`.
    var records: [[UInt8]: [UInt8]]
}

/// Reads the members of a tar file in order. Everything in it is untrusted.
///
///     0 name (100)   100 mode   108 uid   116 gid   124 size (12)   136 mtime (12)   148 checksum   156 type
///     157 link (100)   257 "ustar"   265 user, 297 group (32)   329, 337 device   345 prefix (155)
///
/// A member `x` has pax records for the next one, `g` for all that follow, `L` and `K` are GNU's long names. Source: POSIX
/// pax; GNU tar, "Basic Tar Format".
struct TarReader {
    let source: TarSource
    private var global: [[UInt8]: [UInt8]] = [:]
    /// The content of the last member and its padding that was not read yet.
    private var padding: UInt64 = 0

    private static let largestExtension: UInt64 = 1 << 20
    private static let mostRecords = 10_000

    init(_ source: TarSource) { self.source = source }

    /// The next member, nil behind the last one. Its content has to be read by `content` before the next call.
    mutating func next() throws -> TarMember? {
        var local: [[UInt8]: [UInt8]] = [:]
        var (longName, longLink): ([UInt8]?, [UInt8]?) = (nil, nil)
        while let header = try source.next(512) {
            if header.allSatisfy({ $0 == 0 }) { return nil }
            try Self.check(header)
            let size = try Self.number(header, 124, 12)
            switch header[156] {
            case UInt8(ascii: "x"): local = try records(size)
            case UInt8(ascii: "g"):
                global.merge(try records(size)) { $1 }
                guard global.count <= Self.mostRecords else { throw TarError(reason: "it has too many pax records") }
            case UInt8(ascii: "L"): longName = try extensionBytes(size).cut
            case UInt8(ascii: "K"): longLink = try extensionBytes(size).cut
            default:
                let member = try Self.member(header, size, global.merging(local) { $1 }, longName, longLink)
                padding = (512 - member.size % 512) % 512
                return member
            }
        }
        return nil
    }

    /// Reads the content of the member that `next` returned.
    mutating func content(of member: TarMember, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        try source.forEach(of: member.size, body)
        try source.forEach(of: padding) { _ in }
        padding = 0
    }

    private func extensionBytes(_ size: UInt64) throws -> [UInt8] {
        guard size <= Self.largestExtension else { throw TarError(reason: "an extended header has \(size) bytes") }
        let bytes = size == 0 ? [] : try source.next(Int(size)) ?? []
        try source.forEach(of: (512 - size % 512) % 512) { _ in }
        return bytes
    }

    /// Records of the form `LENGTH KEY=VALUE\n`.
    private func records(_ size: UInt64) throws -> [[UInt8]: [UInt8]] {
        var rest = try extensionBytes(size)[...]
        var records: [[UInt8]: [UInt8]] = [:]
        while !rest.isEmpty, rest.first != 0 {
            let digits = rest.prefix { $0 != UInt8(ascii: " ") }
            guard let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 2,
                length <= rest.count
            else { throw TarError(reason: "a pax record is damaged") }
            let record = rest.prefix(length).dropFirst(digits.count + 1).dropLast()
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw TarError(reason: "a pax record is damaged")
            }
            records[Array(record[..<equals])] = Array(record[(equals + 1)...])
            guard records.count <= Self.mostRecords else { throw TarError(reason: "it has too many pax records") }
            rest = rest.dropFirst(length)
        }
        return records
    }

    private static func member(
        _ header: [UInt8], _ size: UInt64, _ records: [[UInt8]: [UInt8]], _ longName: [UInt8]?, _ longLink: [UInt8]?
    ) throws -> TarMember {
        var records = records
        func record(_ key: String) -> [UInt8]? { records.removeValue(forKey: Array(key.utf8)) }
        func recordNumber(_ key: String, _ otherwise: UInt64) throws -> UInt64 {
            guard let value = record(key) else { return otherwise }
            guard let number = UInt64(String(decoding: value, as: UTF8.self)) else {
                throw TarError(reason: "the pax record '\(key)' is no number")
            }
            return number
        }
        var name = header[0..<100].cut
        let prefix = header[345..<500].cut
        if header[257..<263].elementsEqual(Array("ustar\0".utf8)), !prefix.isEmpty {
            name = prefix + [UInt8(ascii: "/")] + name
        }
        name = record("path") ?? longName ?? name
        let link = record("linkpath") ?? longLink ?? header[157..<257].cut
        let isDevice = header[156] == UInt8(ascii: "3") || header[156] == UInt8(ascii: "4")
        // The time that a reader sees, whether it stands in a record or in the header.
        let modified = try record("mtime") ?? Array("\(number(header, 136, 12))".utf8)
        return TarMember(
            path: BytePath(name.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [0x2e] }),
            type: header[156] == 0 ? UInt8(ascii: "0") : header[156], mode: try number(header, 100, 8),
            user: try recordNumber("uid", number(header, 108, 8)),
            group: try recordNumber("gid", number(header, 116, 8)),
            userName: record("uname") ?? header[265..<297].cut, groupName: record("gname") ?? header[297..<329].cut,
            size: [0x31, 0x32, 0x33, 0x34, 0x35, 0x36].contains(header[156]) ? 0 : try recordNumber("size", size),
            modified: modified, link: link,
            device: isDevice ? [try number(header, 329, 8), try number(header, 337, 8)] : [], records: records)
    }

    /// The sum of all bytes, those of the checksum itself taken as spaces.
    private static func check(_ header: [UInt8]) throws {
        let sum = header.enumerated().reduce(UInt64(0)) { $0 + (148..<156 ~= $1.0 ? 32 : UInt64($1.1)) }
        guard try number(header, 148, 8) == sum else { throw TarError(reason: "the header of a member is damaged") }
    }

    /// Octal digits, or GNU's big-endian form with the highest bit set. Negative numbers do not occur.
    private static func number(_ header: [UInt8], _ offset: Int, _ count: Int) throws -> UInt64 {
        let field = header[offset..<offset + count]
        let isBinary = field.first.map { $0 & 0x80 != 0 } ?? false
        if isBinary {
            var bytes = Array(field)
            bytes[0] &= 0x7f
            guard bytes.dropLast(8).allSatisfy({ $0 == 0 }) else { throw TarError(reason: "a number is too large") }
            return bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        guard !digits.isEmpty else { return 0 }
        guard let value = UInt64(String(decoding: digits, as: UTF8.self), radix: 8) else {
            throw TarError(reason: "the header of a member is damaged")
        }
        return value
    }
}

extension Collection<UInt8> {
    /// The bytes before the first NUL.
    fileprivate var cut: [UInt8] { Array(prefix { $0 != 0 }) }
}
