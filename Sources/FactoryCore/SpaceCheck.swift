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

    static func free(_ path: FilePath) -> ByteCount? {
        var facts = statvfs()
        guard statvfs(path.string, &facts) == 0 else { return nil }
        return ByteCount(UInt64(facts.f_bavail) * UInt64(facts.f_frsize))
    }
}
