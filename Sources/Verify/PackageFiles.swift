import Crypto
import Filesystems

/// The files of an image's packages with the digests that the packages came with (/var/lib/dpkg/info/*.md5sums).
struct PackageFiles {
    private let digests: [String: String]

    init(_ image: Inspection) {
        var digests: [String: String] = [:]
        for list in image.tree.match("/var/lib/dpkg/info/*.md5sums") {
            for line in (image.tree.bytes(list) ?? []).split(separator: 0x0a) where line.count > 34 {
                let path = "/" + String(decoding: line.dropFirst(34), as: UTF8.self)
                digests[PackageFiles.merged(path)] = String(decoding: line.prefix(32), as: UTF8.self)
            }
        }
        self.digests = digests
    }

    /// Whether the file is as its package brought it, and so as public as the package.
    func isUnchanged(_ node: ImageTree.Node, _ image: Inspection) -> Bool {
        guard let expected = digests["\(node.path)"], let bytes = image.tree.bytes(node, limit: 64 << 20),
            UInt64(bytes.count) == node.status.size
        else { return false }
        return Insecure.MD5.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }.joined() == expected
    }

    /// A path by the name that it has since /bin and the like are links.
    static func merged(_ path: String) -> String {
        ["/bin/", "/sbin/", "/lib/", "/lib64/"].contains(where: path.hasPrefix) ? "/usr" + path : path
    }
}
