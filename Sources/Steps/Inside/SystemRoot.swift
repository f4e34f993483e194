import DiskFormats
import Filesystems
import Model
import SystemPackage

/// Finds where the systems of a disk are: what belongs to an instance is there.
struct SystemRoot: Hashable {
    /// Of the filesystem, in the disk.
    var bytes: Range<Int64>
    var content: FilesystemSignature

    /// All filesystems that may hold a system, in the order of the disk: those with an os-release first of all, else
    /// those that cannot be read, else whatever Linux may be in. A disk without partitions is one filesystem.
    static func all(of disk: some ByteSource) throws -> [SystemRoot] {
        let places = try filesystems(of: disk).filter(\.content.isLinux)
        var systems: [SystemRoot] = []
        var unreadable: [SystemRoot] = []
        for place in places {
            switch place.hasSystem(in: disk) {
            case true?: systems.append(place)
            case nil: unreadable.append(place)
            // Such as /boot beside a root of btrfs.
            case false?: break
            }
        }
        return [systems, unreadable].first { !$0.isEmpty } ?? places
    }

    /// All filesystems that are known, in the order of the disk.
    static func filesystems(of disk: some ByteSource) throws -> [SystemRoot] {
        do {
            return try PartitionTable.read(disk).ranges.compactMap { range in
                guard range.upperBound <= Int64(clamping: disk.size) else { return nil }
                return try FilesystemSignature.recognize(disk, at: range.lowerBound).map {
                    SystemRoot(bytes: range, content: $0)
                }
            }
        } catch is PartitionTableError {
            let whole = 0..<Int64(clamping: disk.size)
            return try FilesystemSignature.recognize(disk, at: 0).map { [SystemRoot(bytes: whole, content: $0)] } ?? []
        }
    }

    /// Nil if nobody can tell.
    private func hasSystem(in disk: some ByteSource) -> Bool? {
        guard content.isExt, let filesystem = try? Ext4Filesystem(in: disk, offset: UInt64(bytes.lowerBound)) else {
            return nil
        }
        let files = Ext4Editor(reading: filesystem)
        return ["/etc/os-release", "/usr/lib/os-release"].contains { (try? files.find(BytePath($0))) != nil }
    }
}

extension PartitionTable {
    /// Where the partitions are, in bytes.
    fileprivate var ranges: [Range<Int64>] { partitions.compactMap { $0.byteRange(sectorSize: sectorSize) } }
}
