import Glibc
import Model
package import SystemPackage

/// Where the program keeps things.
package enum FactoryFolders {
    /// The store: below XDG_CACHE_HOME, else ~/.cache; for root /var/cache/image-factory unless XDG_CACHE_HOME is set.
    package static func store(environment: [String: String], userID: UInt32) throws -> FilePath {
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
            return FilePath(cache).appending("image-factory")
        }
        if userID == 0 { return "/var/cache/image-factory" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw FactoryError(
                .configuration, "there is no home folder to keep the store in",
                remedy: "set HOME, or XDG_CACHE_HOME")
        }
        return FilePath(home).appending(".cache").appending("image-factory")
    }
}
