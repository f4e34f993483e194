import DiskFormats
import Filesystems

/// What the bytes of an ext4 filesystem belong to.
final class Ext4Pieces: PieceSource {
    let name = "ext4"
    private let filesystem: Ext4Filesystem
    private let layout: Ext4Layout
    private let start: UInt64
    private let blockSize: UInt64
    private var wanted: Set<UInt64> = []
    private(set) var problems: [String] = []
    private lazy var claims = findClaims()
    private lazy var free = (try? filesystem.freeRanges()) ?? []
    private lazy var paths = readPaths()

    /// Blocks whose owners are looked for.
    private static let mostBlocks = 1 << 17
    private static let journal: UInt32 = 8
    private static let firstOfFiles: UInt32 = 11

    /// The filesystem at a place of a disk; throws if there is none that can be read.
    init(_ disk: some ByteSource, at start: UInt64) throws(Ext4.Failure) {
        filesystem = try Ext4Filesystem(in: disk, offset: start)
        layout = try Ext4Layout(filesystem)
        self.start = start
        blockSize = filesystem.facts.blockSize
    }

    /// Whether the magic number of the ext family is there.
    static func isThere(_ disk: some ByteSource, at start: UInt64) throws -> Bool {
        try disk.bytes(at: start + 1080, count: 2).content == [0x53, 0xef]
    }

    func prepare(_ range: Range<UInt64>) {
        var block = (range.lowerBound - start) / blockSize
        while start + block * blockSize < range.upperBound, wanted.count < Self.mostBlocks {
            if layout.area(of: block) == nil { wanted.insert(block) }
            block += 1
        }
    }

    private func findClaims() -> [UInt64: Ext4Claim] {
        do {
            let found = try filesystem.claims(of: wanted)
            if !found.isComplete { problems.append("files of ext4 have the same blocks: not all owners were found") }
            return found.claims
        } catch {
            problems.append("the inodes of ext4 cannot be read: \(error.reason)")
            return [:]
        }
    }

    /// The names of all files by their inodes.
    private func readPaths() -> [UInt32: [String]] {
        do {
            var paths: [UInt32: [String]] = [:]
            for node in try ImageTree(filesystem).nodes where paths[node.inode, default: []].count < 10 {
                paths[node.inode, default: []].append("\(node.path)")
            }
            return paths
        } catch {
            problems.append("the folders of ext4 cannot be read: \(error.reason)")
            return [:]
        }
    }

    func piece(at offset: UInt64) -> Piece {
        let inside = offset - start
        let block = inside / blockSize
        let first = start + block * blockSize
        let whole = first..<first + blockSize
        if inside < 1024 { return plain("boot sectors of the partition", start..<start + 1024) }
        guard let area = layout.area(of: block) else { return fileBlock(block, offset, whole) }
        switch area.structure {
        case .superblock(let group): return superblock(group, offset, whole)
        case .descriptors(let group, let firstGroup):
            let table = start + area.blocks.lowerBound * blockSize
            let index = (offset - table) / layout.descriptorSize
            let place = table + index * layout.descriptorSize
            let copy = group == 0 ? "" : ", copy in group \(group)"
            return Piece(
                bytes: place..<place + layout.descriptorSize, key: "descriptor \(place)",
                what: "descriptor of group \(UInt64(firstGroup) + index)\(copy)",
                structure: .fields(Ext4Fields.descriptor))
        case .reservedDescriptors(let group): return plain("reserved descriptors in group \(group)", whole)
        case .blockBitmap(let group): return bitmap("block bitmap of group \(group)", whole)
        case .inodeBitmap(let group): return bitmap("inode bitmap of group \(group)", whole)
        case .inodeTable(let group):
            let table = start + area.blocks.lowerBound * blockSize
            let index = (offset - table) / layout.inodeSize
            let place = table + index * layout.inodeSize
            return inode(UInt64(group) * layout.inodesPerGroup + index + 1, place..<place + layout.inodeSize)
        }
    }

    private func plain(_ what: String, _ bytes: Range<UInt64>) -> Piece { Piece(bytes: bytes, key: what, what: what) }

    private func bitmap(_ what: String, _ bytes: Range<UInt64>) -> Piece {
        Piece(bytes: bytes, key: "\(what) \(bytes.lowerBound)", what: what, structure: .bitmap)
    }

    private func superblock(_ group: UInt32, _ offset: UInt64, _ block: Range<UInt64>) -> Piece {
        // In group 0 it is 1024 bytes behind the start of the partition, whatever the size of blocks.
        let place = group == 0 ? start + 1024 : block.lowerBound
        guard offset >= place, offset < place + 1024 else {
            return plain("unused part of the superblock's block", place + 1024..<max(block.upperBound, place + 1025))
        }
        return Piece(
            bytes: place..<place + 1024, key: "superblock \(place)",
            what: group == 0 ? "superblock" : "superblock's copy in group \(group)",
            structure: .fields(Ext4Fields.superblock))
    }

    private func inode(_ number: UInt64, _ bytes: Range<UInt64>) -> Piece {
        let names = UInt32(exactly: number).map(self.names(of:)) ?? []
        return Piece(
            bytes: bytes, key: "inode \(bytes.lowerBound)", what: "inode \(number)", paths: names,
            structure: .fields(Ext4Fields.inode))
    }

    private func names(of inode: UInt32) -> [String] {
        if let found = paths[inode] { return found }
        return inode == Self.journal ? ["(journal)"] : inode < Self.firstOfFiles ? ["(reserved inode)"] : []
    }

    private func fileBlock(_ block: UInt64, _ offset: UInt64, _ bytes: Range<UInt64>) -> Piece {
        guard let claim = claims[block] else {
            if filesystem.isFree(block, in: free) { return plain("free space", bytes) }
            return plain(block < filesystem.facts.blocks ? "blocks in use by no file" : "behind the filesystem", bytes)
        }
        let names = names(of: claim.inode)
        let key = "\(claim.inode) \(names.first ?? "")"
        switch claim.use {
        case .map:
            return Piece(bytes: bytes, key: "map \(key)", what: "list of the blocks of a file", paths: names)
        case .attributes:
            return Piece(bytes: bytes, key: "attributes \(key)", what: "extended attributes of a file", paths: names)
        case .content(let number):
            if claim.inode == Self.journal { return plain("journal", bytes) }
            return content(claim.inode, number, offset, bytes, names)
        }
    }

    private func content(
        _ inode: UInt32, _ number: UInt64, _ offset: UInt64, _ bytes: Range<UInt64>, _ names: [String]
    ) -> Piece {
        let status = try? filesystem.status(inode)
        let key = "content \(inode) \(names.first ?? "")"
        if status?.kind == .folder {
            return Piece(bytes: bytes, key: key, what: "folder", paths: names, structure: .folder(inode: inode))
        }
        if names.first == "(reserved inode)" {
            return Piece(bytes: bytes, key: key, what: "content of the reserved inode \(inode)")
        }
        let (begin, overflow) = number.multipliedReportingOverflow(by: blockSize)
        let place = overflow ? UInt64.max : begin &+ (offset - bytes.lowerBound)
        if let size = status?.size, place >= size {
            return Piece(bytes: bytes, key: "slack " + key, what: "space behind the end of a file", paths: names)
        }
        return Piece(bytes: bytes, key: key, what: "content of a file from byte \(place) on", paths: names)
    }

    func changes(ofFolder inode: UInt32, to other: any PieceSource) -> [String] {
        guard let other = other as? Ext4Pieces, let mine = try? filesystem.entries(of: inode, limit: 100_000),
            let theirs = try? other.filesystem.entries(of: inode, limit: 100_000)
        else { return [] }
        let before = Dictionary(mine.map { ($0.name, $0.inode) }) { one, _ in one }
        let after = Dictionary(theirs.map { ($0.name, $0.inode) }) { one, _ in one }
        var changes = mine.filter { after[$0.name] == nil }.map { "'\(BytePath.text($0.name))' only in the first" }
        changes += theirs.filter { before[$0.name] == nil }.map { "'\(BytePath.text($0.name))' only in the second" }
        changes += mine.compactMap { entry in
            guard let inode = after[entry.name], inode != entry.inode else { return nil }
            return "'\(BytePath.text(entry.name))': inode \(entry.inode) → \(inode)"
        }
        if changes.isEmpty { changes = mine.map(\.name) == theirs.map(\.name) ? [] : ["order of the names"] }
        return changes
    }
}
