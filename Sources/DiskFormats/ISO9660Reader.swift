/// Files of an ISO 9660 image by their paths, with the long names of Rock Ridge where the image has them.
///
///     sector 16…   volume descriptors of 2048 bytes: type, "CD001", version; 156 record of the root folder
///     record       0 length   2 first block u32   10 size u32   25 flags: 2 folder, 0x80 goes on in another record
///                  32 length of the name   33 name, padded to an even length, then System Use entries
///     System Use   signature, length, version, data: "NM" flags, name; "CE" block, offset, length of the rest
///
/// Sources: ECMA-119; IEEE P1281 (SUSP) and P1282 (Rock Ridge). Little-endian numbers of pairs are read. All walks are
/// bounded; what the image says wrongly is a file that is not found.
package struct ISO9660Reader<Disc: ByteSource> {
    /// Where the content of a file lies, in bytes.
    package struct File: Hashable, Sendable {
        package var offset: UInt64
        package var size: UInt64
    }

    private struct Record {
        var name: String
        var block: UInt64
        var size: UInt64
        var isFolder: Bool
        var isWhole: Bool
    }

    private static var sector: UInt64 { 2048 }
    /// A folder of more than this many bytes is none that a medium has on the way to its kernel.
    private static var largestFolder: UInt64 { 4 << 20 }

    private let disc: Disc
    private let root: Record

    /// Nil if it is no ISO 9660 image.
    package init?(_ disc: Disc) throws {
        let descriptor = try disc.bytes(at: 16 * Self.sector, count: 2048)
        guard descriptor.has([1]), descriptor.has("CD001", at: 1), let record = descriptor.slice(156, 34),
            let root = Self.record(ByteFields(Array(record)), name: "")
        else { return nil }
        self.disc = disc
        self.root = root
    }

    /// The file at a path of names from the root, compared without regard to case; nil if there is none.
    package func find(_ path: String) throws -> File? {
        var found = root
        for name in path.split(separator: "/") {
            guard found.isFolder,
                let next = try records(of: found).first(where: { Self.matches($0.name, String(name)) })
            else { return nil }
            found = next
        }
        guard !found.isFolder, found.isWhole, let offset = product(found.block, Self.sector),
            let end = product(1, offset, plus: found.size), end <= disc.size
        else { return nil }
        return File(offset: offset, size: found.size)
    }

    /// Names without Rock Ridge end with a version, and with a dot if they have no extension.
    private static func matches(_ name: String, _ wanted: String) -> Bool {
        var bare = name.lowercased()
        if let version = bare.firstIndex(of: ";") { bare = String(bare[..<version]) }
        if bare.last == "." { bare.removeLast() }
        return bare == wanted.lowercased()
    }

    private func records(of folder: Record) throws -> [Record] {
        guard let start = product(folder.block, Self.sector), folder.size <= Self.largestFolder else { return [] }
        let bytes = try disc.bytes(at: start, count: Int(folder.size))
        var found: [Record] = []
        var at = 0
        while let length: UInt8 = bytes.little(at) {
            guard length >= 34 else {
                // A record does not cross the border of a sector: the rest of this one is empty.
                at = (at / 2048 + 1) * 2048
                continue
            }
            guard let content = bytes.slice(at, Int(length)) else { break }
            let field = ByteFields(Array(content))
            if let record = Self.record(field, name: try name(of: field)) { found.append(record) }
            at += Int(length)
        }
        return found
    }

    private static func record(_ field: ByteFields, name: String) -> Record? {
        guard let block: UInt32 = field.little(2), let size: UInt32 = field.little(10),
            let flags: UInt8 = field.little(25)
        else { return nil }
        return Record(
            name: name, block: UInt64(block), size: UInt64(size), isFolder: flags & 2 != 0, isWhole: flags & 0x80 == 0)
    }

    private func name(of record: ByteFields) throws -> String {
        let length = Int(record.little(32, as: UInt8.self) ?? 0)
        let short = record.slice(33, length).map { String(decoding: Array($0), as: UTF8.self) } ?? ""
        let start = 33 + length + (length + 1) % 2
        guard let use = record.slice(start, max(0, record.count - start)) else { return short }
        let long = try longName(in: ByteFields(Array(use)))
        return long.isEmpty ? short : long
    }

    /// The parts of a Rock Ridge name; empty if there is none.
    private func longName(in use: ByteFields) throws -> String {
        var name: [UInt8] = []
        var area = use
        // Each continuation is of one sector at the most.
        for _ in 0..<4 {
            var next: ByteFields?
            var at = 0
            while let length: UInt8 = area.little(at + 2), length >= 4, let entry = area.slice(at, Int(length)) {
                let field = ByteFields(Array(entry))
                if field.has("NM"), let part = field.slice(5, max(0, field.count - 5)) { name += part }
                if field.has("CE"), let block: UInt32 = field.little(4), let offset: UInt32 = field.little(12),
                    let size: UInt32 = field.little(20), let place = product(UInt64(block), Self.sector),
                    let start = product(1, place, plus: UInt64(offset))
                {
                    next = try disc.bytes(at: start, count: Int(min(size, 2048)))
                }
                at += Int(length)
            }
            guard let more = next else { break }
            area = more
        }
        return String(decoding: name, as: UTF8.self)
    }
}
