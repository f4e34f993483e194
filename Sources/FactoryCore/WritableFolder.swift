import Glibc
import Model
import Store
package import SystemPackage

/// Says before the work that something could not be written.
package enum WritableFolder {
    /// Makes a folder and those above it, if they are not there. Throws `FactoryError`.
    ///
    /// - Parameter what: the folder as the user knows it: "the output folder".
    package static func make(_ folder: FilePath, _ what: String) throws {
        try check(folder, what, remedy: "choose another folder")
        try Folder.make(folder)
    }

    /// Looks at the folder, or at the nearest one above it that is there. Nothing is made.
    ///
    /// - Parameter what: the folder as the user knows it: "the output folder".
    static func check(_ folder: FilePath, _ what: String, remedy: String) throws {
        func refuse(_ reason: String) -> FactoryError {
            FactoryError(.cannotCreate, "\(what) \(folder) cannot be written: \(reason)", remedy: remedy)
        }
        var path = folder
        while true {
            let text = path.isEmpty ? "." : path.string
            var facts = stat()
            if stat(text, &facts) == 0 {
                guard facts.st_mode & S_IFMT == S_IFDIR else { throw refuse("\(text) is not a folder") }
                guard access(text, W_OK | X_OK) == 0 else { throw refuse("\(text): \(Errno(rawValue: errno))") }
                return
            }
            guard errno == ENOENT || errno == ENOTDIR, !path.isEmpty else {
                throw refuse("\(text): \(Errno(rawValue: errno))")
            }
            path = path.removingLastComponent()
        }
    }
}
