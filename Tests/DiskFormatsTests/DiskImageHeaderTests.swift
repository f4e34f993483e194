import DiskFormats
import SystemPackage
import Testing

@Suite struct DiskImageHeaderTests {
    private static let qemu = "/usr/bin/qemu-img"

    /// The header of a file that qemu-img makes, and the file's bytes.
    private func made(_ format: String, _ options: [String] = [], size: String = "64M") throws -> DiskImageHeader {
        try ScratchFolder.with { folder in
            try folder.file("base", size: 64 << 20) { _ in }
            let words = options.map { $0.replacing("BASE", with: folder.string("base")) }
            try Program.run(Self.qemu, ["create", "-q", "-f", format] + words + [folder.string("disk"), size])
            return try folder.open("disk") { try DiskImageHeader.inspect($0) }
        }
    }

    private func inspect(_ bytes: [UInt8]) throws -> DiskImageHeader { try DiskImageHeader.inspect(ByteFields(bytes)) }

    @Test(
        .enabled(if: Program.exists(qemu)),
        arguments: [
            ("qcow2", [], "qcow2"), ("qcow2", ["-o", "compat=0.10"], "qcow2"), ("vmdk", [], "vmdk"),
            ("vmdk", ["-o", "subformat=streamOptimized"], "vmdk"), ("vdi", [], "vdi"), ("vhdx", [], "vhdx"),
            ("vpc", ["-o", "force_size=on"], "vpc"), ("vpc", ["-o", "subformat=fixed,force_size=on"], "vpc"),
            ("raw", [], "raw"),
        ] as [(String, [String], String)])
    func `A plain image is known with its size and has no hazards`(
        format: String, options: [String], driver: String
    ) throws {
        let header = try made(format, options)
        #expect(header.kind.blockDriver == driver)
        #expect(header.virtualSize == 64 << 20)
        #expect(header.hazards == [])
    }

    @Test(.enabled(if: Program.exists(qemu)))
    func `A backing file is a hazard, and its format is read`() throws {
        let header = try made("qcow2", ["-b", "BASE", "-F", "raw"])
        guard case .qcow2(let fields) = header.kind else { throw Absent() }
        #expect(fields.backingFile?.hasSuffix("/base") == true)
        #expect(fields.backingFormat == "raw")
        #expect(header.hazards.count == 1)
        #expect(header.hazards.first?.hasPrefix("it has a backing file: '/tmp/") == true)
    }

    @Test(.enabled(if: Program.exists(qemu)))
    func `A data file is a hazard`() throws {
        let header = try made("qcow2", ["-o", "data_file=BASE"])
        guard case .qcow2(let fields) = header.kind else { throw Absent() }
        #expect(fields.dataFile?.hasSuffix("/base") == true)
        #expect(header.hazards == ["its data is in another file: '\(fields.dataFile ?? "")'"])
    }

    @Test(.enabled(if: Program.exists(qemu)))
    func `The compression type is read`() throws {
        guard case .qcow2(let fields) = try made("qcow2", ["-o", "compression_type=zstd"]).kind else { throw Absent() }
        #expect(fields.compression == .zstd)
        #expect((fields.version, fields.clusterBits, fields.incompatibleFeatures) == (3, 16, 8))
    }

    @Test(.enabled(if: Program.exists(qemu)), arguments: [(1, .aes), (2, .luks)] as [(UInt8, QCOW2Header.Encryption)])
    func `Encryption is a hazard`(method: UInt8, encryption: QCOW2Header.Encryption) throws {
        try ScratchFolder.with { folder in
            try Program.run(Self.qemu, ["create", "-q", "-f", "qcow2", folder.string("disk"), "1M"])
            var bytes = try folder.open("disk") { try $0.content() }
            bytes[35] = method
            guard case .qcow2(let fields) = try inspect(bytes).kind else { throw Absent() }
            #expect(fields.encryption == encryption)
            #expect(try inspect(bytes).hazards == ["it is encrypted"])
        }
    }

    @Test(.enabled(if: Program.exists(qemu)))
    func `Internal snapshots are a hazard`() throws {
        try ScratchFolder.with { folder in
            try Program.run(Self.qemu, ["create", "-q", "-f", "qcow2", folder.string("disk"), "1M"])
            try Program.run(Self.qemu, ["snapshot", "-c", "one", folder.string("disk")])
            let header = try folder.open("disk") { try DiskImageHeader.inspect($0) }
            #expect(header.hazards == ["it has 1 internal snapshots, which keep older content"])
        }
    }

    @Test(
        .enabled(if: Program.exists(qemu)),
        arguments: [
            ("vmdk", ["-o", "subformat=monolithicFlat"]), ("vmdk", ["-o", "subformat=twoGbMaxExtentSparse"]),
        ] as [(String, [String])])
    func `What is in other files is a hazard`(format: String, options: [String]) throws {
        let header = try made(format, options)
        #expect(header.kind.blockDriver == format)
        #expect(header.hazards.count == 1)
    }

    @Test func `A VMDK that names files of the host says which`() throws {
        let text = "# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n"
        let header = try inspect(Array((text + "RW 2048 FLAT \"/etc/sha\u{1b}dow\" 0\n").utf8))
        guard case .vmdk(let fields) = header.kind else { throw Absent() }
        #expect(fields.createType == "monolithicFlat")
        #expect(fields.extentFiles == ["/etc/sha\u{1b}dow"])
        #expect(header.virtualSize == 1 << 20)
        #expect(header.hazards == ["its data is in other files: '/etc/sha?dow'"])
    }

    @Test(
        arguments: [
            ([0x1f, 0x8b, 0x08, 0], .compressed(.gzip)), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], .compressed(.xz)),
            ([0x28, 0xb5, 0x2f, 0xfd], .compressed(.zstd)),
            (Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], .compressed(.bzip2)),
            (Array("BZh9 is a text".utf8), .raw), (Array("LUKS".utf8) + [0xba, 0xbe, 0, 2], .luks(version: 2)),
        ] as [([UInt8], DiskImageKind)])
    func `A magic tells the kind`(bytes: [UInt8], kind: DiskImageKind) throws {
        #expect(try inspect(bytes).kind == kind)
    }

    @Test func `A disc is known by its volume descriptor`() throws {
        var bytes = [UInt8](repeating: 0, count: 40960)
        bytes.replaceSubrange(32768..<32774, with: [1] + Array("CD001".utf8))
        bytes.replaceSubrange(32808..<32840, with: Array("DEBIAN 13".utf8) + [UInt8](repeating: 32, count: 23))
        bytes[32768 + 80] = 20
        bytes[32768 + 129] = 8
        #expect(try inspect(bytes).kind == .iso9660(label: "DEBIAN 13"))
        #expect(try inspect(bytes).hazards == [])
        bytes[32768 + 80] = 21
        #expect(try inspect(bytes).hazards == ["it is cut off: the disc has 43008 bytes and the file 40960"])
    }

    @Test func `Eight bytes at the end of a raw disk do not make it a VHD`() throws {
        let header = try inspect(
            [UInt8](repeating: 0, count: 1024) + Array("conectix".utf8) + [UInt8](repeating: 0, count: 504))
        #expect(header.kind == .raw)
        #expect(header.hazards == ["it ends with a damaged VHD footer"])
    }

    @Test(arguments: [0, 1, 511, 513]) func `A raw file that is no disk says so`(size: Int) throws {
        let header = try inspect([UInt8](repeating: 0, count: size))
        #expect(header.kind == .raw)
        #expect(header.hazards.count == 1)
    }

    @Test(
        .enabled(if: Program.exists(qemu)),
        arguments: [
            ("qcow2", ["-b", "BASE", "-F", "raw"]), ("vmdk", []), ("vpc", []), ("vhdx", []), ("vdi", []),
        ] as [(String, [String])])
    func `No change of a header ends in more than hazards`(format: String, options: [String]) throws {
        let good: [UInt8] = try ScratchFolder.with { folder in
            try folder.file("base", size: 4096) { _ in }
            let words = options.map { $0.replacing("BASE", with: folder.string("base")) }
            try Program.run(Self.qemu, ["create", "-q", "-f", format] + words + [folder.string("disk"), "1M"])
            return Array(try folder.open("disk") { try $0.content() }.prefix(3 << 20))
        }
        var numbers = RepeatableNumbers(state: 8)
        // Where the fields are; for VHDX also its tables.
        let used = good.indices.filter { good[$0] != 0 || $0 < 128 }.prefix(4096)
        for _ in 0..<(format == "vhdx" ? 100 : 500) {
            var bytes = good
            for _ in 0..<Int.random(in: 1...5, using: &numbers) {
                bytes[used.randomElement(using: &numbers) ?? 0] =
                    [0xff, 0x80, 0, .random(in: 0...255, using: &numbers)].randomElement(using: &numbers) ?? 0
            }
            if Int.random(in: 0..<4, using: &numbers) == 0 {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &numbers))
            }
            _ = try inspect(bytes)
        }
    }
}
