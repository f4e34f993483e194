import Glibc
package import SystemPackage

/// Who may read a seed: whoever may read all of its files, which often hold passwords and keys.
package enum SeedSecrecy {
    /// The mode for a seed that is made of these files, before the umask. What is no file, such as a pipe, has no say.
    package static func permissions(_ files: some Sequence<FilePath>) -> FilePermissions {
        let isSecret = files.contains { path in
            var facts = stat()
            return stat(path.string, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && facts.st_mode & S_IROTH == 0
        }
        return isSecret ? .ownerReadWrite : FilePermissions(rawValue: 0o644)
    }
}
