/// A structure or a part of a file on one of the two disks.
struct Piece {
    /// What can be said of its difference beside that there is one.
    enum Structure {
        case none
        case fields([Field])
        case bitmap
        /// A folder of ext4.
        case folder(inode: UInt32)
        /// An entry of a FAT folder.
        case fatEntry
    }

    /// In bytes of the disk.
    var bytes: Range<UInt64>
    /// The same for pieces that are told together, on both sides.
    var key: String
    var what: String
    var paths: [String] = []
    var structure: Structure = .none
}

/// Names what the bytes of a filesystem are part of.
protocol PieceSource: AnyObject {
    /// `ext4`.
    var name: String { get }
    /// Called for all ranges that will be asked for, before the first `piece`.
    func prepare(_ range: Range<UInt64>)
    /// The piece that a byte of the disk is in.
    func piece(at offset: UInt64) -> Piece
    /// What differs between two folders; `other` is the same filesystem on the other side.
    func changes(ofFolder inode: UInt32, to other: any PieceSource) -> [String]
    /// What could not be read, in words.
    var problems: [String] { get }
}

extension PieceSource {
    func prepare(_ range: Range<UInt64>) {}
    func changes(ofFolder inode: UInt32, to other: any PieceSource) -> [String] { [] }
    var problems: [String] { [] }
}
