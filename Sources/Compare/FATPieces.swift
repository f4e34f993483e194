import DiskFormats
import Filesystems

/// What the bytes of a FAT filesystem belong to.
final class FATPieces: PieceSource {
    let name = "FAT"
    private let map: FATMap
    private let start: UInt64

    /// Nil if there is no FAT at this place of the disk.
    init?(_ disk: some ByteSource, at start: UInt64) throws {
        guard let fat = try FATFilesystem(disk, at: start) else { return nil }
        map = try FATMap(fat)
        self.start = start
    }

    func piece(at offset: UInt64) -> Piece {
        let (area, inside) = map.area(at: offset - start)
        let bytes = start + inside.lowerBound..<start + inside.upperBound
        switch area {
        case .reserved(let sector): return reserved(sector, bytes)
        case .table(let copy): return Piece(bytes: bytes, key: "FAT \(copy)", what: "FAT, copy \(copy)")
        case .root: return entry(offset, bytes, folder: "/")
        case .rest: return Piece(bytes: bytes, key: "rest", what: "behind the filesystem")
        case .cluster(let number):
            guard let owner = map.owners[number] else {
                return Piece(bytes: bytes, key: "free", what: "free space")
            }
            if owner.isFolder { return entry(offset, bytes, folder: "\(owner.path)") }
            let place = owner.offset + (offset - bytes.lowerBound)
            return Piece(
                bytes: bytes, key: "content \(owner.path)", what: "content of a file from byte \(place) on",
                paths: ["\(owner.path)"])
        }
    }

    private func reserved(_ sector: UInt64, _ bytes: Range<UInt64>) -> Piece {
        let isCopy = sector == 6 && map.isFAT32
        return switch sector {
        case _ where sector == 0 || isCopy:
            Piece(
                bytes: bytes, key: "boot \(bytes.lowerBound)",
                what: sector == 0 ? "boot sector of the FAT" : "boot sector's copy",
                structure: .fields(FATFields.boot(isFAT32: map.isFAT32)))
        case 1 where map.isFAT32: Piece(bytes: bytes, key: "information", what: "information sector of the FAT")
        default: Piece(bytes: bytes, key: "reserved", what: "reserved sectors of the FAT")
        }
    }

    private func entry(_ offset: UInt64, _ folder: Range<UInt64>, folder path: String) -> Piece {
        let place = folder.lowerBound + (offset - folder.lowerBound) / 32 * 32
        return Piece(
            bytes: place..<place + 32, key: "entry \(place)", what: "entry of a folder", paths: [path],
            structure: .fatEntry)
    }
}
