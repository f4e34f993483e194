import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

/// A filesystem at an offset of a file, with links that lead everywhere.
private enum LinkedImage {
    static let offset: UInt64 = 1 << 20

    static func with(_ body: (FilePath, ImageTree) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            for folder in ["", "etc", "usr", "usr/share", "home"] {
                mkdir(tree.pushing(FilePath(folder)).string, 0o755)
            }
            try Scratch.write("web\n", tree.appending("etc").appending("hostname"))
            try Scratch.write(String(repeating: "x", count: 10_000), tree.pushing("usr/share/large"))
            for (name, target) in [
                ("absolute", "/etc"), ("relative", "usr/../etc"), ("above", "../../../../etc/hostname"),
                ("loop", "loop"), ("first", "second"), ("second", "first"), ("dangling", "/nowhere"),
                ("long", "/" + String(repeating: "./", count: 100) + "etc/hostname"),
            ] {
                symlink(target, tree.appending(name).string)
            }
            mkdir(tree.appending("names").string, 0o755)
            for name: [UInt8] in [[0xff, 0xfe], [0x0a, 0x1b, 0x5b], Array("a\\b".utf8)] {
                let path = Array((tree.string + "/names/").utf8) + name + [0]
                let file = path.withUnsafeBufferPointer { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644) }
                }
                #expect(file >= 0)
                close(file)
            }
            let disk = scratch.path.appending("disk")
            let runner = CommandRunner()
            try await runner.runChecked(
                Command(
                    "mke2fs",
                    ["-q", "-t", "ext4", "-L", "data", "-E", "offset=\(offset)", "-d", tree.string, disk.string, "8M"]),
                activity: "making a filesystem")
            let value = scratch.path.appending("value")
            try Scratch.write("caps", value)
            try await runner.runChecked(
                Command(
                    "debugfs",
                    ["-w", "-R", "ea_set -f \(value) /etc/hostname security.capability", "\(disk)?offset=\(offset)"]),
                activity: "setting an attribute")
            try await body(disk, try ImageTree(Ext4Filesystem(disk, offset: offset)))
        }
    }
}

@Suite struct ImageTreeTests {
    @Test func `Links lead inside the image only`() async throws {
        try await LinkedImage.with { _, tree in
            for path: BytePath in [
                "/absolute/hostname", "/relative/hostname", "/above", "/long", "/etc/../etc/./hostname",
            ] {
                #expect(tree.find(path)?.path == "/etc/hostname", "\(path)")
            }
            for path: BytePath in ["/loop", "/first", "/dangling", "/etc/hostname/x", "/nowhere/x"] {
                #expect(tree.find(path) == nil, "\(path)")
            }
            #expect(tree.find("/absolute", following: false)?.status.kind == .link)
            #expect(tree.find("/..")?.path == "/")
        }
    }

    @Test func `Files are read with a limit`() async throws {
        try await LinkedImage.with { _, tree in
            #expect(tree.bytes("/etc/hostname") == Array("web\n".utf8))
            #expect(tree.bytes("/usr/share/large")?.count == 10_000)
            #expect(tree.bytes("/usr/share/large", limit: 100)?.count == 100)
            #expect(tree.bytes("/etc") == nil)
        }
    }

    @Test func `Names are bytes, and each has a text of its own`() async throws {
        try await LinkedImage.with { _, tree in
            let names = tree.list("/names").map { "\($0.path)" }
            #expect(names == ["/names/\\x0a\\x1b[", "/names/a\\x5cb", "/names/\\xff\\xfe"])
        }
    }

    @Test func `Patterns name what is there`() async throws {
        try await LinkedImage.with { _, tree in
            #expect(tree.match("/{etc,home}/h*").map { "\($0.path)" } == ["/etc/hostname"])
            #expect(tree.match("/absolute/host?ame").map { "\($0.path)" } == ["/etc/hostname"])
            #expect(Set(tree.match("/usr/**").map { "\($0.path)" }) == ["/usr/share", "/usr/share/large"])
            #expect(tree.match("/nothing/*").isEmpty)
        }
    }

    @Test func `Attributes and the superblock are read`() async throws {
        try await LinkedImage.with { _, tree in
            let node = try #require(tree.find("/etc/hostname"))
            let attributes = try tree.filesystem.attributes(node.inode)
            #expect(attributes.map(\.name) == ["security.capability"])
            #expect(attributes.first?.value == Array("caps".utf8))
            #expect(tree.filesystem.facts.isClean && !tree.filesystem.facts.needsRecovery)
            #expect(tree.filesystem.facts.label == Array("data".utf8))
            #expect(tree.problems == [])
        }
    }

    @Test func `Blocks are known by their owners, free ones by nobody`() async throws {
        try await LinkedImage.with { _, tree in
            let filesystem = tree.filesystem
            let node = try #require(tree.find("/usr/share/large"))
            let place = try #require(try filesystem.place(of: node.inode, at: 5000))
            let free = try #require(try filesystem.freeRanges().last)
            let size = filesystem.facts.blockSize
            let owners = try filesystem.owners(of: [place / size, free.lowerBound / size])
            #expect(owners == [place / size: node.inode, free.lowerBound / size: 0])
        }
    }

    /// What is damaged is told or left out; reading never takes long and never ends the process.
    @Test(arguments: 0..<60)
    func `A damaged filesystem is read without harm`(seed: UInt64) async throws {
        try await LinkedImage.with { disk, _ in
            var random = SplitMix(state: seed)
            let file = try FileDescriptor.open(disk, .readWrite)
            try file.closeAfter {
                for _ in 0..<(1 << (seed % 8)) {
                    // The first blocks are those with structure: superblock, descriptors, bitmaps, inodes, folders.
                    let blocks: UInt64 = random.next() % 3 == 0 ? 1 : random.next() % 2 == 0 ? 64 : 2048
                    let place = LinkedImage.offset + random.next() % (blocks * 1024 + 1024)
                    _ = try file.writeAll(toAbsoluteOffset: Int64(place), [UInt8(truncatingIfNeeded: random.next())])
                }
            }
            guard let filesystem = try? Ext4Filesystem(disk, offset: LinkedImage.offset) else { return }
            let start = ContinuousClock.now
            if let tree = try? ImageTree(filesystem) {
                for node in tree.nodes {
                    _ = tree.bytes(node, limit: 1 << 16)
                    _ = try? filesystem.attributes(node.inode)
                }
                _ = tree.find("/long/x")
                _ = tree.match("/**")
            }
            _ = try? filesystem.freeRanges()
            _ = try? filesystem.owners(of: [1, 100])
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }
}

/// A small generator with a seed (Steele, Lea and Flood, 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
