package import SystemPackage

/// A failed file operation as a user reads it.
package enum FileFailure {
    /// - Parameter verb: what was tried: "write".
    package static func error(
        _ error: any Error, _ verb: String, _ path: FilePath, code: FactoryError.Code = .inputOutput
    ) -> FactoryError {
        if let known = error as? FactoryError { return known }
        guard let number = error as? Errno else {
            return FactoryError(code, "cannot \(verb) \(path): \(error)", remedy: unknown)
        }
        return FactoryError(code, "cannot \(verb) \(path): \(number)", remedy: remedy(number, path))
    }

    /// What to do about a failure that no path explains.
    package static func remedy(_ number: Errno, _ path: FilePath? = nil) -> String {
        let folder = path?.removingLastComponent()
        return switch number {
        case .noSpace: "free some space there, or run 'image-factory prune'"
        case .diskQuotaExceeded: "free some of your quota, or run 'image-factory prune'"
        case .notDirectory, .fileExists, .isDirectory: "choose another folder: a file is in the way"
        case .permissionDenied, .notPermitted: "give your user access to \(folder?.string ?? "it")"
        case .readOnlyFileSystem: "choose a folder that can be written"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "raise the limit of open files (ulimit -n)"
        case .noMemory: "free some memory"
        case .ioError: "check the disk: the system's log (dmesg) says more; then run 'image-factory fsck'"
        default: unknown
        }
    }

    private static let unknown = "check the folder and its disk; 'image-factory fsck' checks the store"
}
