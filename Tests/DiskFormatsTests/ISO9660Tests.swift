import Glibc
import SystemPackage
import Testing

@testable import DiskFormats

@Suite struct ISO9660Tests {
    private func image(_ files: [(String, [UInt8])], label: String = "cidata") throws -> [UInt8] {
        var writer = ISO9660Writer(label: label)
        for (path, content) in files { try writer.add(path, content) }
        return writer.bytes()
    }

    /// What the reader finds at a path.
    private func content(_ path: String, of image: [UInt8]) throws -> [UInt8]? {
        let disc = ByteFields(image)
        let reader = try #require(try ISO9660Reader(disc))
        return try reader.find(path).map { disc.bytes(at: $0.offset, count: Int($0.size)).content }
    }

    @Test func `Files are found by their names, in any case`() throws {
        let large = (0..<5000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let image = try image([("user-data", large), ("meta-data", []), ("openstack/latest/meta_data.json", [1, 2])])
        #expect(try content("user-data", of: image) == large)
        #expect(try content("META-DATA", of: image) == [])
        #expect(try content("openstack/latest/meta_data.json", of: image) == [1, 2])
        #expect(try content("openstack", of: image) == nil)
        #expect(try content("openstack/none", of: image) == nil)
        #expect(try content("user-data/none", of: image) == nil)
    }

    @Test func `Folders with more files than a sector has room for`() throws {
        let files = (0..<200).map { ("file-number-\($0)", [UInt8($0)]) }
        let image = try image(files)
        for (name, bytes) in files { #expect(try content(name, of: image) == bytes) }
    }

    @Test func `The same files are the same image`() throws {
        let files = [("user-data", Array("a".utf8))]
        #expect(try image(files) == image(files))
    }

    @Test func `A file is added once, and no path leads out`() throws {
        var writer = ISO9660Writer(label: "cidata")
        try writer.add("a", [])
        #expect(throws: FileAccessError.self) { try writer.add("a", []) }
        #expect(throws: FileAccessError.self) { try writer.add("../b", []) }
        #expect(throws: FileAccessError.self) { try writer.add("", []) }
    }

    @Test(.enabled(if: Program.exists("/usr/bin/xorriso")))
    func `xorriso reads what was written`() throws {
        try ScratchFolder.with { folder in
            let large = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
            let bytes = try image([("user-data", large), ("openstack/latest/meta_data.json", [1, 2])])
            try folder.file("seed.iso", [(at: 0, bytes: bytes)]) { _ in }
            let told = try Program.run("/usr/bin/xorriso", ["-indev", folder.string("seed.iso"), "-pvd_info"])
            #expect(told.contains("Volume Id    : cidata"))
            try Program.run(
                "/usr/bin/xorriso",
                [
                    "-osirrox", "on", "-indev", folder.string("seed.iso"), "-extract", "/user-data",
                    folder.string("got"), "-extract", "/openstack/latest/meta_data.json", folder.string("json"),
                ])
            try folder.open("got") { file in
                let unpacked = try file.content()
                #expect(unpacked == large)
            }
        }
    }

    /// As Windows sees the names, and as Linux does.
    @Test(.enabled(if: Program.exists("/usr/bin/isoinfo")), arguments: ["-J", "-R"])
    func `Both kinds of long names are there`(kind: String) throws {
        try ScratchFolder.with { folder in
            let bytes = try image([("user-data", [1]), ("meta-data", [2]), ("openstack/latest/meta_data.json", [3])])
            try folder.file("seed.iso", [(at: 0, bytes: bytes)]) { _ in }
            let told = try Program.run("/usr/bin/isoinfo", ["-f", kind, "-i", folder.string("seed.iso")])
            #expect(
                Set(told.split(separator: "\n").map { $0.hasSuffix(";1") ? $0.dropLast(2) : $0 }) == [
                    "/meta-data", "/openstack", "/openstack/latest", "/openstack/latest/meta_data.json", "/user-data",
                ])
            let content = try Program.run(
                "/usr/bin/isoinfo",
                [kind, "-i", folder.string("seed.iso"), "-x", "/user-data" + (kind == "-J" ? ";1" : "")])
            #expect(content == "\u{1}")
        }
    }

    /// With Rock Ridge, and as names are without it.
    @Test(.enabled(if: Program.exists("/usr/bin/xorriso")), arguments: [true, false])
    func `What xorriso wrote is read`(rockRidge: Bool) throws {
        try ScratchFolder.with { folder in
            let content = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
            try folder.file("source", [(at: 0, bytes: content)]) { _ in }
            let kernel = rockRidge ? "/install.amd/initrd.gz" : "/casper/initrd"
            try Program.run(
                "/usr/bin/xorriso",
                [
                    "-outdev", folder.string("a.iso"), "-rockridge", rockRidge ? "on" : "off", "-compliance",
                    "iso_9660_level=3", "-map", folder.string("source"), kernel, "-map",
                    folder.string("source"), "/a-name-of-" + String(repeating: "x", count: rockRidge ? 200 : 8),
                ])
            try folder.open("a.iso") { file in
                let reader = try #require(try ISO9660Reader(try FileBytes(file)))
                let place = try #require(try reader.find(kernel))
                let found = try FileBytes(file).bytes(at: place.offset, count: Int(place.size)).content
                #expect(found == content)
            }
        }
    }

    @Test func `What is no image is none`() throws {
        #expect(try ISO9660Reader(ByteFields([UInt8](repeating: 0, count: 40000))) == nil)
        #expect(try ISO9660Reader(ByteFields([])) == nil)
    }

    @Test func `A file beyond the end of the image is none`() throws {
        let whole = try image([("user-data", [UInt8](repeating: 1, count: 300_000))])
        #expect(try content("user-data", of: Array(whole.prefix(100_000))) == nil)
    }

    @Test(arguments: 0..<300) func `Spoilt images neither trap nor hang`(seed: Int) throws {
        var numbers = RepeatableNumbers(state: UInt64(seed))
        var spoilt = try image([("casper/vmlinuz", [1]), ("casper/initrd", [2])])
        for _ in 0..<8 {
            let place = Int.random(in: 32768..<49152, using: &numbers)
            spoilt[place] = UInt8.random(in: 0...255, using: &numbers)
        }
        guard let reader = try ISO9660Reader(ByteFields(spoilt)) else { return }
        if let file = try reader.find("casper/initrd") { #expect(file.offset + file.size <= UInt64(spoilt.count)) }
    }
}
