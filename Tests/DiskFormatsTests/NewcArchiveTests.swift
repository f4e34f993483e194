import DiskFormats
import Glibc
import SystemPackage
import Testing

@Suite struct NewcArchiveTests {
    private func archive(_ files: [(String, [UInt8])]) throws -> [UInt8] {
        var archive = NewcArchive()
        for (name, content) in files { try archive.add(name, content) }
        return archive.bytes()
    }

    @Test func `An archive is its entries and its end, each at a multiple of four`() throws {
        let bytes = try archive([("a", Array("xyz".utf8))])
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(bytes.count % 4 == 0)
        let numbers = [1, 0o100644, 0, 0, 1, 0, 3, 0, 0, 0, 0, 2, 0].map { number in
            let digits = String(number, radix: 16, uppercase: true)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }
        #expect(text.hasPrefix("070701" + numbers.joined() + "a\0xyz\0070701"))
        #expect(text.contains("TRAILER!!!\0"))
    }

    @Test func `The same files are the same archive`() throws {
        let files = [("preseed.cfg", Array("d-i".utf8)), ("empty", [])]
        #expect(try archive(files) == archive(files))
    }

    @Test func `cpio reads what was written`() throws {
        try ScratchFolder.with { folder in
            let content = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
            let bytes = try archive([("preseed.cfg", content), ("two", [0x0a])])
            try folder.file("a.cpio", [(at: 0, bytes: bytes)]) { _ in }
            try Program.run(
                "/bin/sh", ["-c", "cd \"$1\" && busybox cpio -i -F a.cpio", "sh", folder.path.string])
            try folder.open("preseed.cfg") { file in
                let unpacked = try file.content()
                #expect(unpacked == content)
            }
            #expect(access(folder.string("two"), R_OK) == 0)
        }
    }

    @Test(arguments: ["", "a\0b"]) func `What is no path is refused`(path: String) {
        var archive = NewcArchive()
        #expect(throws: FileAccessError.self) { try archive.add(path, []) }
    }
}
