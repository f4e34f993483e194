import Glibc
import SystemPackage

/// Finds programs in the fixed search path.
enum ProgramSearch {
    /// The first of `names` (or of these absolute paths) that is an executable file.
    static func find(_ names: [String], in searchPath: String = Command.searchPath) -> FilePath? {
        for name in names {
            if name.contains("/") {
                if isExecutable(name) { return FilePath(name) }
                continue
            }
            for folder in searchPath.split(separator: ":") where isExecutable("\(folder)/\(name)") {
                return FilePath("\(folder)/\(name)")
            }
        }
        return nil
    }

    private static func isExecutable(_ path: String) -> Bool { isFile(path) && access(path, X_OK) == 0 }

    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
