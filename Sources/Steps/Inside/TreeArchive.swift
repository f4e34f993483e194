import Glibc
import Model
import SystemPackage
import Tooling

/// A tree as a tar file, with owners by number and extended attributes.
enum TreeArchive {
    /// The tree, in a new folder of `place`.
    static func unpack(_ archive: String, in place: String, runner: any CommandRunning) async throws -> FilePath {
        let tree = FilePath(place).appending("tree")
        guard mkdir(tree.string, 0o755) == 0 else {
            throw FactoryError(.cannotCreate, "cannot make \(tree): \(Errno(rawValue: errno))")
        }
        try await runner.runChecked(
            Command(
                "tar",
                [
                    "--extract", "--file=\(archive)", "--directory=\(tree.string)", "--numeric-owner",
                    "--preserve-permissions", "--same-owner", "--xattrs", "--xattrs-include=*",
                    // A tar of a tree has its folders in it; delaying their times costs a second pass.
                    "--delay-directory-restore",
                ]),
            activity: "unpacking the tree"
        ) { _, _ in }
        return tree
    }

    /// In name order, with no time later than the epoch.
    static func create(_ archive: String, from tree: FilePath, epoch: UInt64, runner: any CommandRunning) async throws {
        try await runner.runChecked(
            Command(
                "tar",
                [
                    "--create", "--file=\(archive)", "--directory=\(tree.string)", "--numeric-owner", "--xattrs",
                    "--xattrs-include=*", "--sort=name", "--format=pax",
                    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
                    "--mtime=@\(epoch)", "--clamp-mtime", ".",
                ]),
            activity: "packing the tree"
        ) { _, _ in }
    }
}
