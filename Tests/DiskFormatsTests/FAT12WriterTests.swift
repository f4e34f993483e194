import SystemPackage
import Testing

@testable import DiskFormats

@Suite struct FAT12WriterTests {
    private func volume(_ files: [(String, [UInt8])]) throws -> [UInt8] {
        var writer = FAT12Writer(label: "CIDATA")
        for (name, content) in files { try writer.add(name, content) }
        return try writer.bytes()
    }

    private static let sizes = [0, 1, 511, 512, 5000, 300_000, 3_000_000]

    @Test(.enabled(if: Program.exists("/usr/bin/mtype") && Program.exists("/usr/sbin/fsck.vfat")), arguments: sizes)
    func `mtools and fsck read what was written`(size: Int) throws {
        try ScratchFolder.with { folder in
            let large = (0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) }
            let bytes = try volume([
                ("user-data", large), ("meta-data", Array("id\n".utf8)),
                ("a-name-that-takes-more-than-one-entry.of-13", [1]),
            ])
            try folder.file("seed.img", [(at: 0, bytes: bytes)]) { _ in }
            let image = folder.string("seed.img")
            try Program.run("/usr/sbin/fsck.vfat", ["-n", image])
            let names = try Program.run("/usr/bin/mdir", ["-b", "-i", image])
            #expect(
                names.split(separator: "\n").map { $0.dropFirst(3) }
                    == ["user-data", "meta-data", "a-name-that-takes-more-than-one-entry.of-13"])
            try Program.run("/usr/bin/mcopy", ["-i", image, "::user-data", folder.string("got")])
            let got = try folder.open("got") { try $0.content() }
            #expect(got == large)
            #expect(try Program.run("/usr/bin/mtype", ["-i", image, "::meta-data"]) == "id\n")
        }
    }

    @Test(.enabled(if: Program.exists("/usr/sbin/blkid")))
    func `blkid knows the volume by its label`() throws {
        try ScratchFolder.with { folder in
            try folder.file("seed.img", [(at: 0, bytes: try volume([("user-data", [1])]))]) { _ in }
            let told = try Program.run("/usr/sbin/blkid", ["-p", "-o", "export", folder.string("seed.img")])
            #expect(told.contains("LABEL=CIDATA\n") && told.contains("TYPE=vfat\n"))
        }
    }

    @Test func `The same files are the same volume`() throws {
        #expect(try volume([("user-data", [1])]) == volume([("user-data", [1])]))
    }

    @Test func `What the volume cannot hold is refused`() throws {
        var writer = FAT12Writer(label: "CIDATA")
        try writer.add("a", [])
        #expect(throws: FileAccessError.self) { try writer.add("A", []) }
        #expect(throws: FileAccessError.self) { try writer.add("b/c", []) }
        #expect(throws: FileAccessError.self) { try writer.add("", []) }
        #expect(throws: FileAccessError.self) { try writer.add("b", [UInt8](repeating: 0, count: 17 << 20)) }
    }
}
