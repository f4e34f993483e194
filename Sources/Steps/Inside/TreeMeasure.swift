import CLinux
import Glibc
import Model
import SystemPackage

/// Counts what a tree takes in blocks and inodes.
enum TreeMeasure {
    static func needs(of tree: FilePath) throws -> FilesystemNeeds {
        var bytes: UInt64 = 0
        var inodes: UInt64 = 0
        guard if_measure_tree(tree.string, FilesystemNeeds.blockSize, &bytes, &inodes) == 0 else {
            throw FactoryError(.inputOutput, "cannot walk the tree: \(Errno(rawValue: errno))")
        }
        return FilesystemNeeds(data: ByteCount(bytes), inodes: inodes)
    }
}
