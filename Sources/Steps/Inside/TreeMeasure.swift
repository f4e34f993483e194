import CLinux
import Glibc
import Model
import SystemPackage

/// Counts what a tree takes in blocks and inodes, by walking it without following links.
enum TreeMeasure {
    static func needs(of tree: FilePath) throws -> FilesystemNeeds {
        var total = FilesystemNeeds(data: ByteCount(0), inodes: 0)
        var linked: Set<UInt> = []
        guard let first = strdup(tree.string) else { throw Errno.noMemory }
        defer { free(first) }
        var paths: [UnsafeMutablePointer<CChar>?] = [first, nil]
        guard let walk = fts_open(&paths, FTS_PHYSICAL | FTS_NOCHDIR, nil) else { throw Errno(rawValue: errno) }
        defer { fts_close(walk) }
        var bytes: UInt64 = 0
        while let entry = fts_read(walk) {
            switch Int32(entry.pointee.fts_info) {
            case FTS_DP: continue
            case FTS_DNR, FTS_ERR, FTS_NS:
                throw FactoryError(
                    .inputOutput, "cannot walk the tree: \(Errno(rawValue: entry.pointee.fts_errno))")
            default: break
            }
            let facts = entry.pointee.fts_statp.pointee
            if facts.st_nlink > 1, facts.st_mode & S_IFMT == S_IFREG, !linked.insert(facts.st_ino).inserted { continue }
            total.inodes += 1
            let block = FilesystemNeeds.blockSize
            switch facts.st_mode & S_IFMT {
            case S_IFREG: bytes += (UInt64(facts.st_size) + block - 1) / block * block
            // A folder of many names takes more than one block; on tmpfs its size says how many.
            case S_IFDIR: bytes += max(block, UInt64(facts.st_size) * 2 / block * block)
            // Links of up to 59 bytes lie in the inode.
            case S_IFLNK where facts.st_size > 59: bytes += block
            default: break
            }
        }
        total.data = ByteCount(bytes)
        return total
    }
}
