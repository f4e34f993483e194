import DiskFormats
import Filesystems

/// One of two disks, with names for what is where.
final class DiskSide {
    let disk: GuestDisk
    let map: DiskMap
    /// By the start of their place.
    private var filesystems: [UInt64: any PieceSource] = [:]
    private(set) var problems: [String] = []

    init(_ disk: GuestDisk) throws {
        self.disk = disk
        // Reading a filesystem comes back to the same places often, and a qcow2 file decompresses for each.
        let cached = CachedBytes(disk)
        map = try DiskMap(cached)
        for place in map.places {
            guard place.content.mayHaveFilesystem else { continue }
            filesystems[place.bytes.lowerBound] = try filesystem(cached, at: place.bytes.lowerBound)
        }
    }

    private func filesystem(_ disk: CachedBytes, at start: UInt64) throws -> (any PieceSource)? {
        guard try Ext4Pieces.isThere(disk, at: start) else { return try FATPieces(disk, at: start) }
        do throws(Ext4.Failure) {
            return try Ext4Pieces(disk, at: start)
        } catch {
            problems.append("the ext4 filesystem at byte \(start) cannot be read: \(error.reason)")
            return nil
        }
    }

    func filesystem(at offset: UInt64) -> (any PieceSource)? {
        map.place(at: offset).flatMap { filesystems[$0.bytes.lowerBound] }
    }

    var allProblems: [String] { problems + filesystems.values.flatMap(\.problems) }

    /// `partition 3 'root' (ext4)`.
    func name(of place: DiskMap.Place) -> String {
        let filesystem = filesystems[place.bytes.lowerBound]?.name
        switch place.content {
        case .bootRecord: return map.table?.isGPT == true ? "protective MBR" : "master boot record"
        case .header(let isBackup): return isBackup ? "backup GPT header" : "primary GPT header"
        case .entries(let isBackup, _): return isBackup ? "backup GPT entries" : "primary GPT entries"
        case .gap: return "gap between partitions"
        case .whole: return "disk without a partition table" + (filesystem.map { " (\($0))" } ?? "")
        case .partition(let partition):
            let (name, type) = partition.words
            let facts = [type, filesystem].compactMap { $0 }.joined(separator: ", ")
            return "partition \(partition.number)" + (name.isEmpty ? "" : " '\(name)'")
                + (facts.isEmpty ? "" : " (\(facts))")
        }
    }

    /// The piece that a byte of the disk is in; behind the end of the disk there is none.
    func piece(at offset: UInt64) -> Piece? {
        guard let place = map.place(at: offset) else { return nil }
        if let filesystem = filesystems[place.bytes.lowerBound] {
            var piece = filesystem.piece(at: offset)
            piece.bytes = piece.bytes.clamped(to: place.bytes)
            return piece
        }
        switch place.content {
        case .bootRecord: return structure(place.bytes, "boot record", TableFields.bootRecord)
        case .header: return structure(place.bytes, "header", TableFields.header)
        case .entries(_, let size):
            let index = (offset - place.bytes.lowerBound) / size
            let start = place.bytes.lowerBound + index * size
            return structure(start..<start + size, "entry of partition \(index + 1)", TableFields.entry)
        case .gap, .whole, .partition: return Piece(bytes: place.bytes, key: "", what: "")
        }
    }

    private func structure(_ bytes: Range<UInt64>, _ what: String, _ fields: [Field]) -> Piece {
        Piece(bytes: bytes, key: "\(what) \(bytes.lowerBound)", what: what, structure: .fields(fields))
    }
}

extension DiskMap.Content {
    fileprivate var mayHaveFilesystem: Bool {
        switch self {
        case .partition, .whole: true
        default: false
        }
    }
}

extension PartitionTable {
    var isGPT: Bool {
        if case .gpt = scheme { true } else { false }
    }
}

extension Partition {
    private static let types = [
        "C12A7328-F81F-11D2-BA4B-00A0C93EC93B": "EFI system", "21686148-6449-6E6F-744E-656564454649": "BIOS boot",
        "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F": "swap",
    ]

    /// Its name in the table, and its type where that says more than that it is for Linux.
    fileprivate var words: (name: String, type: String?) {
        switch kind {
        case .gpt(let type, _, let name, _): (BytePath.text(name.utf8), Self.types[type.description])
        case .mbr(let type, _): ("", type == 0xef ? "EFI system" : type == 0x82 ? "swap" : nil)
        }
    }
}

/// A disk whose last read chunks stay in memory.
final class CachedBytes: ByteSource {
    private static let chunkSize: UInt64 = 64 << 10
    private static let mostChunks = 512

    private let disk: GuestDisk
    private var chunks: [UInt64: [UInt8]] = [:]
    private var order: [UInt64] = []

    init(_ disk: GuestDisk) { self.disk = disk }

    var size: UInt64 { disk.size }

    func bytes(at offset: UInt64, count: Int) throws -> ByteFields {
        guard offset < size, count > 0 else { return ByteFields([]) }
        let end = min(size, offset + min(UInt64(count), size - offset))
        var found: [UInt8] = []
        found.reserveCapacity(Int(end - offset))
        var at = offset
        while at < end {
            let index = at / Self.chunkSize
            let chunk = try chunk(index)
            let inside = Int(at - index * Self.chunkSize)
            let wanted = min(chunk.count - inside, Int(end - at))
            guard wanted > 0 else { break }
            found += chunk[inside..<inside + wanted]
            at += UInt64(wanted)
        }
        return ByteFields(found)
    }

    /// The oldest chunk makes room for a new one.
    private func chunk(_ index: UInt64) throws -> [UInt8] {
        if let chunk = chunks[index] { return chunk }
        if order.count >= Self.mostChunks {
            for old in order.prefix(Self.mostChunks / 2) { chunks[old] = nil }
            order.removeFirst(Self.mostChunks / 2)
        }
        let chunk = try disk.bytes(at: index * Self.chunkSize, count: Int(Self.chunkSize)).content
        chunks[index] = chunk
        order.append(index)
        return chunk
    }
}
