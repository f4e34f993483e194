import DiskFormats
import SystemPackage
import Testing

@Suite struct PartitionTableTests {
    private static let mebi = 1 << 20

    /// The bytes of a disk partitioned by sfdisk.
    private func disk(_ script: String, size: Int64 = 64 << 20) throws -> [UInt8] {
        try ScratchFolder.with { folder in
            try folder.file("disk", size: size) { _ in }
            try Program.run("/usr/sbin/sfdisk", ["-q", folder.string("disk")], input: script)
            return try folder.open("disk") { try $0.content() }
        }
    }

    private func table(_ bytes: [UInt8]) throws -> PartitionTable { try PartitionTable.read(ByteFields(bytes)) }

    private static let gpt = """
        label: gpt
        label-id: 11111111-2222-3333-4444-555555555555
        start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=AAAAAAAA-2222-3333-4444-555555555555
        start=4096, size=32768, type=C12A7328-F81F-11D2-BA4B-00C93EC93B, name="x"
        """.replacing("00C93EC93B", with: "00A0C93EC93B").replacing(
            "\"x\"", with: "\"EFI ünï\", attrs=\"RequiredPartition\"")

    @Test func `A GPT is read with its partitions`() throws {
        let table = try table(disk(Self.gpt))
        let guid = try #require(GUID("11111111-2222-3333-4444-555555555555"))
        #expect(table.scheme == .gpt(disk: guid, usable: 2048...131038))
        #expect(table.sectorSize == 512)
        #expect(table.problems == [])
        #expect(table.partitions.map(\.number) == [1, 2])
        let first = try #require(table.partitions.first)
        #expect((first.firstLBA, first.lastLBA) == (2048, 4095))
        #expect(first.byteRange(sectorSize: 512) == 1 << 20..<2 << 20)
        guard case .gpt(let type, let unique, let name, let attributes) = first.kind else { throw Absent() }
        #expect(type.description == "21686148-6449-6E6F-744E-656564454649")
        #expect(unique.description == "AAAAAAAA-2222-3333-4444-555555555555")
        #expect((name, attributes) == ("", 0))
        guard case .gpt(_, _, let other, let bits) = try #require(table.partitions.last).kind else { throw Absent() }
        #expect((other, bits) == ("EFI ünï", 1))
    }

    @Test func `An MBR is read with logical partitions`() throws {
        let script = """
            label: dos
            label-id: 0xdeadbeef
            start=2048, size=2048, type=83, bootable
            start=8192, size=65536, type=f
            start=10240, size=4096, type=83
            start=20480, size=4096, type=82
            """
        let table = try table(disk(script))
        #expect(table.scheme == .mbr(signature: 0xdead_beef))
        #expect(table.problems == [])
        #expect(
            table.partitions == [
                Partition(number: 1, firstLBA: 2048, lastLBA: 4095, kind: .mbr(type: 0x83, active: true)),
                Partition(number: 5, firstLBA: 10240, lastLBA: 14335, kind: .mbr(type: 0x83, active: false)),
                Partition(number: 6, firstLBA: 20480, lastLBA: 24575, kind: .mbr(type: 0x82, active: false)),
            ])
    }

    @Test func `A damaged primary GPT is read from its backup`() throws {
        let good = try disk(Self.gpt)
        var bytes = good
        bytes[512 + 56] ^= 1
        let damaged = try table(bytes)
        #expect(damaged.problems == [.primaryDamaged(.headerChecksum)])
        #expect(try damaged.partitions == table(good).partitions)
        bytes = good
        bytes[1024] ^= 1
        #expect(try table(bytes).problems == [.primaryDamaged(.entriesChecksum)])
    }

    @Test func `A damaged or missing backup is a problem`() throws {
        let good = try disk(Self.gpt)
        var bytes = good
        bytes[bytes.count - 512 + 56] ^= 1
        #expect(try table(bytes).problems == [.backupDamaged(.headerChecksum)])
        #expect(try table(Array(good.dropLast(512))).problems.contains(.backupDamaged(.notThere)))
        let longer = try table(good + [UInt8](repeating: 0, count: Self.mebi))
        #expect(longer.problems == [.backupMisplaced(lba: 131071, last: 133119)])
    }

    @Test func `Two damaged copies are an error that says both reasons`() throws {
        var bytes = try disk(Self.gpt)
        bytes[512 + 10] = 7
        bytes[bytes.count - 512 + 24] ^= 1
        let error = PartitionTableError.gptDamaged(primary: .unknownRevision(0x0007_0000), backup: .headerChecksum)
        #expect(throws: error) { try table(bytes) }
    }

    @Test func `A blank disk and a filesystem have no table`() throws {
        #expect(throws: PartitionTableError.noTable) { try table([UInt8](repeating: 0, count: 4096)) }
        #expect(throws: PartitionTableError.tooSmall) { try table([1, 2, 3]) }
        var bootSector = [UInt8](repeating: 0x20, count: 4096)
        bootSector.replaceSubrange(510..<512, with: [0x55, 0xaa])
        #expect(throws: PartitionTableError.noTable) { try table(bootSector) }
    }

    @Test func `A protective MBR without a GPT is an error`() throws {
        let bytes = try disk(Self.gpt)
        let protective = Array(bytes[..<512]) + [UInt8](repeating: 0, count: Self.mebi)
        #expect(throws: PartitionTableError.gptMissing) { try table(protective) }
    }

    @Test func `A circle of extended partitions ends`() throws {
        var bytes = try disk("label: dos\nstart=2048,size=65536,type=f\nstart=4096,size=2048,type=83\n")
        let record = 2048 * 512 + 0x1be + 16
        bytes.replaceSubrange(record..<record + 16, with: [0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
        #expect(try table(bytes).problems == [.brokenExtendedChain(lba: 2048)])
    }

    @Test func `Partitions that overlap or leave the disk are problems`() throws {
        var bytes = try disk("label: dos\nstart=2048,size=2048,type=83\nstart=4096,size=2048,type=83\n")
        bytes[0x1be + 12] = 1
        bytes[0x1be + 13] = 8
        bytes[0x1be + 16 + 15] = 0xff
        #expect(try table(bytes).problems == [.outsideDisk(2), .overlap(1, 2)])
    }

    @Test(arguments: 0..<4)
    func `A table reads as sfdisk reads it`(seed: UInt64) throws {
        var numbers = RepeatableNumbers(state: seed)
        var script = "label: \(seed % 2 == 0 ? "gpt" : "dos")\n"
        var at = 2048
        for _ in 0..<(seed % 2 == 0 ? 20 : 4) {
            let size = Int.random(in: 1...20, using: &numbers) * 8
            script += "start=\(at), size=\(size)\n"
            at += size + Int.random(in: 0...3, using: &numbers) * 8
        }
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 64 << 20) { _ in }
            try Program.run("/usr/sbin/sfdisk", ["-q", folder.string("disk")], input: script)
            let dump = try Program.run("/usr/sbin/sfdisk", ["--dump", folder.string("disk")])
            let table = try folder.open("disk") { try PartitionTable.read($0) }
            #expect(table.problems == [])
            let lines = dump.split(separator: "\n").filter { $0.contains("start=") }.map { line in
                String(line.drop { $0 != ":" }.dropFirst(2).filter { $0 != " " })
            }
            #expect(lines == table.partitions.map { Self.sfdiskLine($0) })
        }
    }

    private static func sfdiskLine(_ partition: Partition) -> String {
        let range = "start=\(partition.firstLBA),size=\(partition.lastLBA - partition.firstLBA + 1)"
        switch partition.kind {
        case .gpt(let type, let unique, _, _): return "\(range),type=\(type),uuid=\(unique)"
        case .mbr(let type, _): return "\(range),type=\(String(type, radix: 16))"
        }
    }

    @Test func `No change of a few bytes ends in more than an error`() throws {
        var numbers = RepeatableNumbers(state: 5)
        let scripts = [
            "label: gpt\ntable-length: 8\nstart=2048,size=64\nstart=2112,size=64\n",
            "label: dos\nstart=2048,size=4096,type=f\nstart=2056,size=64\nstart=3000,size=64\n",
        ]
        for script in scripts {
            let good = try disk(script, size: 3 << 20)
            let metadata = Array(0..<2048) + Array(good.count - 1024..<good.count) + Array(2048 * 512..<2050 * 512)
            for _ in 0..<1000 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...6, using: &numbers) {
                    bytes[metadata.randomElement(using: &numbers) ?? 0] =
                        [0, 0xff, 0x80, 5, .random(in: 0...255, using: &numbers)]
                        .randomElement(using: &numbers) ?? 0
                }
                if Bool.random(using: &numbers) { Self.mendChecksums(of: &bytes) }
                do { exercise(try table(bytes)) } catch is PartitionTableError {}
            }
        }
    }

    @Test func `Random bytes after the signatures end in no more than an error`() {
        var numbers = RepeatableNumbers(state: 6)
        for round in 0..<200 {
            var bytes = (0..<8192).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            for at in stride(from: 0x1be, to: 0x1fe, by: 16) { bytes[at] &= 0x80 }
            bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
            if round % 2 == 0 { bytes[0x1c2] = 0xee }
            bytes.replaceSubrange(512..<520, with: Array("EFI PART".utf8))
            bytes.replaceSubrange(520..<528, with: [0, 0, 1, 0, 92, 0, 0, 0])
            Self.mendChecksums(of: &bytes)
            if let table = try? table(bytes) { exercise(table) }
        }
    }

    /// Touches everything that is computed.
    private func exercise(_ table: PartitionTable) {
        for partition in table.partitions { _ = partition.byteRange(sectorSize: table.sectorSize) }
        #expect(!"\(table.problems.map(\.description))".isEmpty)
    }

    /// Makes the header's checksum right again, so that what it protects is read.
    private static func mendChecksums(of bytes: inout [UInt8]) {
        bytes.replaceSubrange(528..<532, with: [0, 0, 0, 0])
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes[512..<604] {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        for at in 0..<4 { bytes[528 + at] = UInt8(truncatingIfNeeded: ~crc >> UInt32(8 * at)) }
    }
}

struct Absent: Error {}

@Suite struct GUIDTests {
    @Test func `A GUID reads back from its text, in both cases`() throws {
        let text = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
        let guid = try #require(GUID(text))
        #expect(guid.bytes.prefix(6) == [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8])
        #expect(guid.description == text)
        #expect(GUID(text.lowercased()) == guid)
        #expect(GUID(onDisk: guid.bytes) == guid)
    }

    @Test(arguments: ["", "C12A7328", "C12A7328-F81F-11D2-BA4B-00A0C93EC93", "X12A7328-F81F-11D2-BA4B-00A0C93EC93B"])
    func `What is no GUID is refused`(text: String) { #expect(GUID(text) == nil) }
}
