import SystemPackage
import Testing

@testable import DiskFormats

@Suite struct QCOW2ReaderTests {
    private static let qemu = "/usr/bin/qemu-img"

    /// The bytes of the file that qemu-img makes of a disk.
    private func made(of disk: RandomDisk, _ options: [String], in folder: ScratchFolder) throws -> [UInt8] {
        try folder.file("disk", size: disk.size, disk.pieces) { _ in }
        let words = ["convert", "-f", "raw", "-O", "qcow2"] + options
        try Program.run(Self.qemu, words + [folder.string("disk"), folder.string("qcow2")])
        return try folder.open("qcow2") { try $0.content() }
    }

    @Test(
        .enabled(if: Program.exists(qemu)), arguments: 20..<23,
        [
            [], ["-c"], ["-c", "-W"], ["-o", "compat=0.10"], ["-c", "-o", "compat=0.10"],
            ["-c", "-o", "compression_type=zstd"], ["-c", "-o", "compression_type=zstd,cluster_size=2M"],
            ["-c", "-o", "cluster_size=512"], ["-o", "cluster_size=4k,refcount_bits=1"],
            ["-o", "preallocation=metadata"], ["-S", "0"],
        ])
    func `What qemu-img made is read as it was`(seed: Int, options: [String]) throws {
        let disk = RandomDisk(seed: UInt64(seed), upTo: 3 << 20)
        try ScratchFolder.with { folder in
            let reader = try QCOW2Reader(ByteFields(try made(of: disk, options, in: folder)))
            var expected = try folder.open("disk") { try $0.content() }
            expected += [UInt8](repeating: 0, count: (512 - expected.count % 512) % 512)
            #expect(reader.size == UInt64(expected.count))
            #expect(try reader.bytes(at: 0, count: expected.count).content == expected)
            var numbers = RepeatableNumbers(state: UInt64(seed))
            for _ in 0..<50 {
                let at = Int.random(in: 0..<expected.count, using: &numbers)
                let count = Int.random(in: 1...100_000, using: &numbers)
                let found = try reader.bytes(at: UInt64(at), count: count).content
                #expect(found == Array(expected[at...].prefix(count)))
            }
        }
    }

    @Test(.enabled(if: Program.exists(qemu)))
    func `Extents are where there is data, and zero clusters are none`() throws {
        try ScratchFolder.with { folder in
            let file = folder.string("qcow2")
            try Program.run(Self.qemu, ["create", "-q", "-f", "qcow2", file, "\((5 << 30) + 512)"])
            let commands = ["write 0 64k", "write 64k 10k", "write -z 192k 64k", "write 1G 1M", "write 5G 512"]
            for command in commands {
                try Program.run("/usr/bin/qemu-io", ["-f", "qcow2", "-c", command, file])
            }
            let reader = try QCOW2Reader(ByteFields(try folder.open("qcow2") { try $0.content() }))
            var extents = reader.allocatedExtents()
            var found: [Range<UInt64>] = []
            while let extent = try extents.next() { found.append(extent) }
            let gibi: UInt64 = 1 << 30
            #expect(found == [0..<131_072, gibi..<gibi + (1 << 20), 5 * gibi..<5 * gibi + 512])
            #expect(try reader.bytes(at: 196_608, count: 65536).content == [UInt8](repeating: 0, count: 65536))
            #expect(try reader.bytes(at: 1 << 30, count: 1).content == [0xcd])
            #expect(try reader.bytes(at: reader.size, count: 1).content == [])
        }
    }

    @Test(
        .enabled(if: Program.exists(qemu)),
        arguments: [
            (["-b", "base", "-F", "raw"], "it has a backing file: 'base'"),
            (["-o", "data_file=data"], "its data is in another file: 'data'"),
            (["-o", "extended_l2=on"], "it has extended L2 entries"),
        ] as [([String], String)])
    func `A file that needs more than itself is refused`(options: [String], reason: String) throws {
        try ScratchFolder.with { folder in
            let words = options.map { $0.replacing("base", with: folder.string("base")) }
                .map { $0.replacing("=data", with: "=" + folder.string("data")) }
            try folder.file("base", size: 1 << 20) { _ in }
            try Program.run(Self.qemu, ["create", "-q", "-f", "qcow2"] + words + [folder.string("qcow2"), "1M"])
            let bytes = try folder.open("qcow2") { try $0.content() }
            let error = #expect(throws: QCOW2Error.self) { try QCOW2Reader(ByteFields(bytes)) }
            #expect(error?.reason.replacing(folder.path.string + "/", with: "") == reason)
        }
    }

    @Test(arguments: [[], Array("QFI\u{fb}".utf8), [UInt8](repeating: 0, count: 4096)])
    func `What is no qcow2 file is refused`(bytes: [UInt8]) {
        #expect(throws: QCOW2Error.self) { try QCOW2Reader(ByteFields(bytes)) }
    }

    /// A small file of ours, whose L2 table lies at 2 and whose L1 table at 3 clusters of 512 bytes.
    private func small() throws -> [UInt8] {
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 65536, [(0, [7]), (1024, [8])]) { disk in
                try folder.file("qcow2") { target in
                    try QCOW2Writer(compression: .zlib, clusterBits: 9, threads: 1).write(disk, to: target)
                    return try target.content()
                }
            }
        }
    }

    @Test(
        arguments: [
            (1536, [0x80, 0, 0, 0, 0, 0x10, 0, 0], "its L1 table points outside of the file"),
            (1024, [0x80, 0, 0, 0, 0, 0x10, 0, 0], "the cluster 0 lies outside of the file"),
            (1024, [0x40, 0, 0, 0, 0, 0x10, 0, 0], "the compressed cluster 0 lies outside of the file"),
            (1024, [0x40, 0, 0, 0, 0, 0, 2, 3], "the compressed cluster 0 is damaged"),
            (512, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "the compressed cluster 0 is damaged"),
            (24, [0, 0, 0, 0, 0x10, 0, 0, 0], "its L1 table is too short for its virtual size"),
            (24, [0xff, 0, 0, 0, 0, 0, 0, 0], "its virtual size, 18374686479671623680, is not possible"),
            (40, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "its L1 table lies outside of the file"),
        ] as [(Int, [UInt8], String)])
    func `A table that leads astray is told`(at: Int, bytes: [UInt8], reason: String) throws {
        var file = try small()
        #expect(try QCOW2Reader(ByteFields(file)).bytes(at: 0, count: 1).content == [7])
        file.replaceSubrange(at..<at + bytes.count, with: bytes)
        let error = #expect(throws: QCOW2Error.self) {
            try QCOW2Reader(ByteFields(file)).bytes(at: 0, count: 512)
        }
        #expect(error?.description.contains(reason) == true, "\(error?.reason ?? "")")
    }

    @Test func `An L2 table that stands for two parts of a disk ends the extents`() throws {
        var file = try small()
        // Two L1 entries for as many parts of 32 KiB.
        file.replaceSubrange(1544..<1552, with: file[1536..<1544])
        var extents = try QCOW2Reader(ByteFields(file)).allocatedExtents()
        #expect(try extents.next() == 0..<512)
        #expect(try extents.next() == 1024..<1536)
        #expect(throws: QCOW2Error.self) { try extents.next() }
    }

    @Test(.enabled(if: Program.exists(qemu)), arguments: [[], ["-c"], ["-c", "-o", "compression_type=zstd"]])
    func `No change of a file does more than make it unreadable`(options: [String]) throws {
        let disk = RandomDisk(seed: 77, upTo: 1 << 20)
        let original = try ScratchFolder.with { try made(of: disk, options, in: $0) }
        // The header, and the tables: bytes that are not zero, spread over the file.
        let places = Array(0..<112) + original.indices.filter { original[$0] != 0 && $0 % 61 == 0 }.prefix(400)
        var numbers = RepeatableNumbers(state: 4)
        var readable = 0
        for place in places {
            for value: UInt8 in [0, 0xff, original[place] ^ 1 << UInt8.random(in: 0...7, using: &numbers)] {
                var file = original
                file[place] = value
                if place % 16 == 0 { file.removeLast(Int.random(in: 0...file.count / 2, using: &numbers)) }
                do {
                    try visit(ByteFields(file), &numbers)
                    readable += 1
                } catch is QCOW2Error {}
            }
        }
        #expect(readable > 0 && readable < places.count * 3)
    }

    private func visit(_ file: ByteFields, _ numbers: inout RepeatableNumbers) throws {
        let reader = try QCOW2Reader(file)
        var extents = reader.allocatedExtents()
        while try extents.next() != nil {}
        for _ in 0..<10 {
            let at = UInt64.random(in: 0...reader.size, using: &numbers)
            _ = try reader.bytes(at: at, count: 5000)
        }
    }
}
