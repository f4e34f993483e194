import Glibc
import Model
import SystemPackage

/// Says before the work that its result could not be written.
enum OutputCheck {
    /// Looks at the folder, or at the nearest one above it that is there. Nothing is made.
    static func check(_ folder: FilePath) throws {
        var path = folder
        while true {
            let text = path.isEmpty ? "." : path.string
            var facts = stat()
            if stat(text, &facts) == 0 {
                guard facts.st_mode & S_IFMT == S_IFDIR else {
                    throw FactoryError(
                        .cannotCreate, "the output folder \(folder) cannot be: \(text) is not a folder",
                        remedy: "choose another folder by --output")
                }
                guard access(text, W_OK | X_OK) == 0 else { throw failure(folder, text) }
                return
            }
            guard errno == ENOENT, !path.isEmpty else { throw failure(folder, text) }
            path = path.removingLastComponent()
        }
    }

    private static func failure(_ folder: FilePath, _ reason: String) -> FactoryError {
        let number = Errno(rawValue: errno)
        return FactoryError(
            .cannotCreate, "the output folder \(folder) cannot be written: \(reason): \(number)",
            remedy: "choose another folder by --output, or give your user access to this one")
    }
}
