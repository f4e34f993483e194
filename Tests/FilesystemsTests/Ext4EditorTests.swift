import DiskFormats
import Filesystems
import Glibc
import SystemPackage
import TestSupport
import Testing
import Tooling

/// A filesystem of a kind at an offset of a file, with a tree of all that there is in trees.
private struct EditedImage {
    static let offset: UInt64 = 1 << 20
    /// In names, contents, attributes and targets below /secret only.
    static let secret = "XyZZy-Secret-Plugh"

    let disk: FilePath

    /// Options of mke2fs.
    static let kinds: [[String]] = [
        ["-t", "ext4"], ["-t", "ext4", "-O", "64bit,metadata_csum,metadata_csum_seed,orphan_file"],
        ["-t", "ext4", "-b", "1024"], ["-t", "ext4", "-O", "inline_data"], ["-t", "ext4", "-O", "^has_journal"],
        ["-t", "ext4", "-O", "bigalloc", "-C", "16384"], ["-t", "ext4", "-O", "^flex_bg,^metadata_csum,uninit_bg"],
        ["-t", "ext4", "-O", "^extent,^64bit,^dir_index"], ["-t", "ext4", "-I", "128"],
        ["-t", "ext4", "-O", "meta_bg,^resize_inode,sparse_super2", "-g", "2048"], ["-t", "ext3"], ["-t", "ext2"],
    ]

    /// What e2fsprogs comes with, so that a host's own defaults make no difference.
    private static let configuration = """
        [defaults]
            base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
            blocksize = 4096
            inode_size = 256
            inode_ratio = 8192
        [fs_types]
            ext3 = {
                features = has_journal
            }
            ext4 = {
                features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
            }
        """

    static func with(_ kind: [String], _ body: (EditedImage) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            makeTree(tree)
            let disk = scratch.path.appending("disk")
            let configuration = scratch.path.appending("mke2fs.conf")
            try Scratch.write(Self.configuration, configuration)
            try await CommandRunner().runChecked(
                Command(
                    "mke2fs", ["-q"] + kind + ["-E", "offset=\(offset)", "-d", tree.string, disk.string, "24M"],
                    environment: ["MKE2FS_CONFIG": configuration.string]),
                activity: "making a filesystem")
            try await setAttributes(disk, scratch.path)
            try await body(EditedImage(disk: disk))
        }
    }

    private static func makeTree(_ tree: FilePath) {
        for folder in ["", "etc", "keep", "keep/deep", "keep/deep/deeper", "many", "secret", "secret/" + secret] {
            mkdir(tree.pushing(FilePath(folder)).string, 0o755)
        }
        func write(_ path: String, _ text: String) {
            _ = try? Scratch.write(text, tree.pushing(FilePath(path)))
        }
        write("etc/small", "small\n")
        write("etc/empty", "")
        for count in [100, 5000, 40_000, 300_000] {
            write("keep/deep/of-\(count)", String(repeating: "keep \(count) ", count: count / 10))
            write("secret/\(secret)/of-\(count)", String(repeating: secret, count: count / 18))
        }
        for number in 0..<250 { write("many/\(number)-\(String(repeating: "n", count: number % 200))", "\(number)") }
        for (name, target) in [
            ("etc/link", "small"), ("keep/long", "/" + String(repeating: "x/", count: 100)), ("secret/fast", secret),
            ("secret/slow", String(repeating: "/\(secret)", count: 9)), ("keep/dangling", "/nowhere"),
        ] {
            symlink(target, tree.pushing(FilePath(name)).string)
        }
        link(tree.pushing("keep/deep/of-5000").string, tree.pushing("secret/other-name").string)
        mkfifo(tree.pushing("keep/pipe").string, 0o600)
        chmod(tree.pushing("etc/small").string, 0o4750)
    }

    /// By debugfs, since mke2fs takes them from the host, where they need a filesystem that has them.
    private static func setAttributes(_ disk: FilePath, _ scratch: FilePath) async throws {
        for (path, value) in [
            ("/etc/small", "label"), ("/secret/\(secret)/of-100", String(repeating: secret, count: 3)),
            ("/keep/deep/of-100", String(repeating: "value", count: 100)),
        ] {
            let file = scratch.appending("value")
            try Scratch.write(value, file)
            let command = Command(
                "debugfs", ["-w", "-R", "ea_set -f \(file) \(path) user.test", "\(disk)?offset=\(offset)"])
            try await CommandRunner().runChecked(command, activity: "setting an attribute")
        }
    }

    func edit<Value>(_ body: (Ext4Editor) throws -> Value) throws -> Value {
        let editor = try Ext4Editor(disk, offset: Self.offset)
        let value = try body(editor)
        try editor.flush()
        return value
    }

    /// What stands in the filesystem, by path: kind, owner, mode, attributes and content.
    func content() throws -> [BytePath: String] {
        let tree = try ImageTree(Ext4Filesystem(disk, offset: Self.offset))
        #expect(tree.problems == [])
        var found: [BytePath: String] = [:]
        for node in tree.nodes {
            let status = node.status
            var text = "\(status.kind) \(status.permissions) \(status.user):\(status.group)"
            for (name, value) in try tree.filesystem.attributes(node.inode) { text += " \(name)=\(value.hashValue)" }
            if status.kind == .file { text += " \(status.size) \(tree.bytes(node)?.hashValue ?? 0)" }
            if status.kind == .link { text += " " + BytePath.text(try tree.filesystem.link(node.inode)) }
            found[node.path] = text
        }
        return found
    }

    func digest() async throws -> String {
        try await CommandRunner().run(Command("sha256sum", [disk.string])).text
    }

    /// What is in front of the filesystem.
    func head() throws -> [UInt8] {
        let file = try FileDescriptor.open(disk, .readOnly)
        return try file.closeAfter {
            var bytes = [UInt8](repeating: 1, count: Int(Self.offset))
            let count = try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 0, into: $0) }
            return Array(bytes.prefix(count))
        }
    }

    /// e2fsck's own verdict.
    func isSound() async throws {
        let result = try await CommandRunner().run(Command("e2fsck", ["-f", "-n", "\(disk)?offset=\(Self.offset)"]))
        #expect(result.succeeded, "\(result.text)")
    }

    /// Makes holes of what the editor says that is not used.
    func punch(_ editor: Ext4Editor) throws {
        let unused = try editor.filesystem.unusedRanges().map {
            Int64(Self.offset + $0.lowerBound)..<Int64(Self.offset + $0.upperBound)
        }
        let file = try FileDescriptor.open(disk, .readWrite)
        _ = try file.closeAfter { try SparseFile.free(ByteRanges(unused), of: file) }
    }
}

@Suite struct Ext4EditorTests {
    @Test(arguments: EditedImage.kinds)
    func `What is removed is gone, with its bytes; all else stays and e2fsck finds nothing`(kind: [String]) async throws
    {
        try await EditedImage.with(kind) { image in
            let before = try image.content()
            #expect(try await contains(image.disk, EditedImage.secret))
            try image.edit { editor in
                for place in try editor.match("/secret/*") { try editor.remove(place) }
                try editor.flush()
                try image.punch(editor)
            }
            try await image.isSound()
            let secret: BytePath = "/secret"
            #expect(try image.content() == before.filter { !$0.key.isInside(secret) || $0.key == secret })
            #expect(try await !contains(image.disk, EditedImage.secret))
        }
    }

    private func contains(_ disk: FilePath, _ text: String) async throws -> Bool {
        let result = try await CommandRunner().run(Command("grep", ["-q", "-a", "-F", text, disk.string]))
        return result.succeeded
    }

    @Test(arguments: EditedImage.kinds)
    func `A written file keeps owner, mode and attributes; new ones are of root`(kind: [String]) async throws {
        try await EditedImage.with(kind) { image in
            var expected = try image.content()
            try image.edit { editor in
                try editor.write(Array("other\n".utf8), to: "/etc/link")
                try editor.truncate(try #require(try editor.find("/keep/deep/of-300000")))
                try editor.write(Array(repeating: 7, count: 70_000), to: "/keep/deep/of-40000")
                try editor.write(Array("new\n".utf8), to: "/many/new", permissions: 0o444)
                try editor.makeFolder("/many/folder")
                try editor.write([], to: "/many/folder/empty")
                try editor.link("/many/folder/link", to: "../new")
                try editor.link("/etc/empty", to: "small")
                try editor.write(Array("found\n".utf8), to: "/keep/dangling")
            }
            try await image.isSound()
            let content = try image.content()
            let changed: Set<BytePath> = [
                "/etc/small", "/keep/deep/of-300000", "/keep/deep/of-40000", "/etc/empty", "/keep/dangling",
            ]
            let made: Set<BytePath> = ["/many/new", "/many/folder", "/many/folder/empty", "/many/folder/link"]
            #expect(Set(content.keys).subtracting(expected.keys) == made)
            for path in changed { expected[path] = nil }
            #expect(content.filter { !changed.contains($0.key) && !made.contains($0.key) } == expected)
            let tree = try ImageTree(Ext4Filesystem(image.disk, offset: EditedImage.offset))
            let small = try #require(tree.find("/etc/small"))
            #expect(small.status.permissions == 0o4750)
            #expect(try tree.filesystem.attributes(small.inode).contains { $0.value == Array("label".utf8) })
            #expect(tree.bytes("/etc/empty") == Array("other\n".utf8))
            #expect(tree.bytes("/keep/deep/of-300000") == [])
            #expect(tree.bytes("/keep/deep/of-40000") == Array(repeating: 7, count: 70_000))
            #expect(tree.bytes("/many/folder/link") == Array("new\n".utf8))
            #expect(tree.bytes("/keep/dangling") == Array("found\n".utf8))
            #expect(tree.find("/many/new")?.status.permissions == 0o444)
        }
    }

    @Test(arguments: EditedImage.kinds, [1])
    func `Whatever is removed and written, the rest stays`(kind: [String], seed: UInt64) async throws {
        try await EditedImage.with(kind) { image in
            var random = SplitMix(state: seed)
            var expected = try image.content()
            try image.edit { editor in
                for round in 0..<40 {
                    let paths = expected.keys.sorted().filter { !$0.names.isEmpty && $0 != "/lost+found" }
                    guard let path = paths.randomElement(using: &random) else { break }
                    let place = try #require(try editor.find(path, following: false), "\(path)")
                    switch (random.next() % 4, place.status.kind) {
                    case (0, .folder):
                        try editor.empty(place)
                        expected = expected.filter { !$0.key.isInside(path) || $0.key == path }
                    case (1, .file), (2, .file):
                        try editor.write(Array(repeating: UInt8(round), count: Int(random.next() % 50_000)), to: path)
                        expected[path] = "written"
                        for other in paths where place.status.links > 1 {
                            if try editor.find(other, following: false)?.inode == place.inode {
                                expected[other] = "written"
                            }
                        }
                    default:
                        try editor.remove(place)
                        expected = expected.filter { !$0.key.isInside(path) }
                    }
                }
                try editor.flush()
                try image.punch(editor)
            }
            try await image.isSound()
            let content = try image.content()
            #expect(Set(content.keys) == Set(expected.keys))
            for (path, text) in expected where text != "written" { #expect(content[path] == text, "\(path)") }
        }
    }

    @Test func `An edited filesystem was never mounted`() async throws {
        try await EditedImage.with(["-t", "ext4"]) { image in
            let place = "\(image.disk)?offset=\(EditedImage.offset)"
            for fact in ["mnt_count 3", "last_mounted /target", "mtime 20261121"] {
                try await CommandRunner().runChecked(
                    Command("debugfs", ["-w", "-R", "set_super_value \(fact)", place]),
                    activity: "changing the superblock")
            }
            let before = try Ext4Filesystem(image.disk, offset: EditedImage.offset).facts
            try Ext4Editor(image.disk, offset: EditedImage.offset).flush()
            let after = try Ext4Filesystem(image.disk, offset: EditedImage.offset).facts
            #expect([before.mounts, after.mounts] == [3, 0])
            #expect([before.lastMounted, after.lastMounted] == [Array("/target".utf8), []])
            try await image.isSound()
        }
    }

    @Test func `A filesystem that was enlarged is edited like another`() async throws {
        try await Scratch.with { scratch in
            let disk = scratch.path.appending("disk")
            let runner = CommandRunner()
            let steps = [
                ("mke2fs", ["-q", "-t", "ext4", "-d", "/usr/share/doc/bash", disk.string, "16M"]),
                ("resize2fs", [disk.string, "200M"]),
            ]
            for (program, arguments) in steps {
                try await runner.runChecked(Command(program, arguments), activity: "making a filesystem")
            }
            let editor = try Ext4Editor(disk, offset: 0)
            try editor.write(Array(repeating: 1, count: 100_000), to: "/large")
            for place in try editor.match("/copyright") { try editor.remove(place) }
            try editor.flush()
            let result = try await runner.run(Command("e2fsck", ["-f", "-n", disk.string]))
            #expect(result.succeeded, "\(result.text)")
        }
    }

    @Test func `Links are followed on the way, inside the image, and removed at the end`() async throws {
        try await EditedImage.with(["-t", "ext4"]) { image in
            try image.edit { editor in
                try editor.link("/keep/above", to: "../../../../../etc")
                try editor.link("/keep/round", to: "round")
                #expect(try editor.find("/keep/above/../etc/./link")?.path == "/etc/small")
                #expect(try editor.find("/keep/round/x") == nil)
                #expect(try editor.match("/keep/above/{sma*,none}").map(\.path) == ["/etc/small"])
                for place in try editor.match("/keep/{above,round}") { try editor.remove(place) }
                #expect(try editor.find("/etc/small") != nil)
                #expect(try editor.match("/keep/**").count == 9)
            }
            try await image.isSound()
        }
    }

    @Test(arguments: ["ea_inode", "encrypt"])
    func `What cannot be edited is refused by name`(feature: String) async throws {
        try await EditedImage.with(["-t", "ext4", "-O", feature]) { image in
            let before = try await image.digest()
            let failure = #expect(throws: Ext4.Failure.self) {
                _ = try Ext4Editor(image.disk, offset: EditedImage.offset)
            }
            #expect(failure?.reason.contains("(\(feature))") == true)
            #expect(try await image.digest() == before)
        }
    }

    /// A folder that is reached by a second name belongs to somebody else: to remove it from there would damage that.
    @Test(arguments: ["/etc", "/", "/secret"])
    func `A folder with two names is not removed`(target: String) async throws {
        try await EditedImage.with(["-t", "ext4"]) { image in
            let command = Command(
                "debugfs",
                ["-w", "-R", "ln \(target) /secret/again", image.disk.string + "?offset=\(EditedImage.offset)"])
            try await CommandRunner().runChecked(command, activity: "linking a folder")
            #expect(throws: Ext4.Failure.self) {
                try image.edit { editor in
                    try editor.remove(try #require(try editor.find("/secret", following: false)))
                }
            }
            let tree = try ImageTree(Ext4Filesystem(image.disk, offset: EditedImage.offset))
            #expect(tree.bytes("/etc/small") == Array("small\n".utf8))
        }
    }

    /// What is damaged is refused; editing never takes long and never ends the process.
    @Test(arguments: 0..<16)
    func `A damaged filesystem is edited without harm`(seed: UInt64) async throws {
        try await EditedImage.with(EditedImage.kinds[Int(seed) % EditedImage.kinds.count]) { image in
            var random = SplitMix(state: seed)
            let file = try FileDescriptor.open(image.disk, .readWrite)
            try file.closeAfter {
                for _ in 0..<(1 << (seed % 10)) {
                    let blocks: UInt64 = random.next() % 3 == 0 ? 1 : random.next() % 2 == 0 ? 64 : 2048
                    let place = EditedImage.offset + random.next() % (blocks * 1024 + 1024)
                    _ = try file.writeAll(toAbsoluteOffset: Int64(place), [UInt8(truncatingIfNeeded: random.next())])
                }
            }
            let head = try image.head()
            let start = ContinuousClock.now
            _ = try? image.edit { editor in
                for place in try editor.match("/{secret,many,etc}/*") { try? editor.remove(place) }
                try? editor.write([1, 2, 3], to: "/keep/new")
                _ = try editor.filesystem.unusedRanges()
            }
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(try image.head() == head)
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
