import CLinux
import Glibc
import Model
import SystemPackage

/// Says before the work that there is too little space for any image.
enum SpaceCheck {
    /// A small image with its trees takes about this much.
    static let least = ByteCount.gibi(2)

    static func check(store: FilePath, output: FilePath) throws {
        guard let free = free(store), free < least else { return }
        throw FactoryError(
            .cannotCreate, "the store \(store) needs \(least) of free space and has \(free)",
            remedy: "free some space there, run 'image-factory prune', or set XDG_CACHE_HOME to another place")
    }

    /// Whether a copy from one folder to the other takes no space: both are on one btrfs or xfs.
    static func sharesBlocks(_ source: FilePath, _ target: FilePath) -> Bool {
        var from = stat()
        var to = stat()
        return stat(source.string, &from) == 0 && stat(target.string, &to) == 0 && from.st_dev == to.st_dev
            && if_can_clone(target.string) == 1
    }

    static func free(_ path: FilePath) -> ByteCount? {
        var facts = statvfs()
        guard statvfs(path.string, &facts) == 0 else { return nil }
        return ByteCount(UInt64(facts.f_bavail) * UInt64(facts.f_frsize))
    }
}
