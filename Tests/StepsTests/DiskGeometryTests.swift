import DiskFormats
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct DiskGeometryTests {
    private static let layouts = DiskLayout.Table.allCases.flatMap { table in
        DiskLayout.Firmware.allCases.map { DiskLayout(size: .automatic(margin: .mebi(10)), table: table, firmware: $0) }
    }

    @Test(arguments: layouts)
    func `Partitions lie one after the other, aligned, root last`(layout: DiskLayout) throws {
        let geometry = try DiskGeometry(layout, needed: ByteCount((100 << 20) + 1))
        let parts = [geometry.bios, geometry.esp, geometry.root].compactMap(\.self)
        var next: UInt64 = 2048
        for part in parts {
            #expect(part.firstSector == next)
            #expect(part.sectors % 2048 == 0)
            next += part.sectors
        }
        #expect(geometry.root.size == .mebi(111))
        #expect(geometry.disk == ByteCount((next + 2048) * 512))
        #expect((geometry.bios != nil) == (layout.table == .gpt && layout.firmware != .uefi))
        #expect(geometry.esp?.size == (layout.firmware == .bios ? nil : .mebi(64)))
    }

    @Test func `A fixed size gives root what is left`() throws {
        let layout = DiskLayout(size: .fixed(ByteCount((1 << 30) + 12345)))
        let geometry = try DiskGeometry(layout, needed: .mebi(100))
        #expect(geometry.disk == .gibi(1))
        #expect(geometry.root.size == .mebi(1024 - 1 - 1 - 64 - 1))
    }

    @Test func `A fixed size that is exactly enough is accepted, a smaller one refused`() throws {
        let least = ByteCount.mebi(1 + 1 + 64 + 100 + 1)
        #expect(try DiskGeometry(DiskLayout(size: .fixed(least)), needed: .mebi(100)).root.size == .mebi(100))
        let error = #expect(throws: FactoryError.self) {
            try DiskGeometry(DiskLayout(size: .fixed(ByteCount(least.bytes - 1))), needed: .mebi(100))
        }
        #expect(error?.message == "the tree needs a disk of at least 167 MiB, and disk.size is 167 MiB")
        #expect(error?.remedy == "raise disk.size to 167M or more, or say 'automatic'")
    }

    @Test func `An MBR is refused where it cannot reach`() {
        #expect(throws: Never.self) {
            try DiskGeometry(DiskLayout(size: .fixed(.gibi(2047)), table: .mbr), needed: .mebi(1))
        }
        let error = #expect(throws: FactoryError.self) {
            try DiskGeometry(DiskLayout(size: .fixed(.gibi(2048)), table: .mbr), needed: .mebi(1))
        }
        #expect(error?.remedy == "say 'table: gpt'")
    }

    @Test(arguments: layouts)
    func `The table that is written is the one that was planned`(layout: DiskLayout) async throws {
        let geometry = try DiskGeometry(layout, needed: .mebi(100))
        try await Scratch.with { scratch in
            let disk = scratch.path.appending("disk.raw")
            let file = try FileDescriptor.open(
                disk, .readWrite, options: .create, permissions: [.ownerReadWrite])
            try await withFile(file) {
                try file.resize(to: Int64(geometry.disk.bytes))
                let tools = DiskTools(
                    disk: disk, scratch: scratch.path, ids: DiskIdentifiers(seed: Digest(of: [])), epoch: 0,
                    runner: CommandRunner(), log: { _ in })
                try await tools.writeTable(geometry, layout)
                let table = try PartitionTable.read(file)
                #expect(table.problems.isEmpty)
                #expect(
                    table.partitions.map { "\($0.firstLBA)+\($0.lastLBA - $0.firstLBA + 1)" }
                        == [geometry.bios, geometry.esp, geometry.root].compactMap(\.self).map {
                            "\($0.firstSector)+\($0.sectors)"
                        })
            }
        }
    }

    private func withFile(_ file: FileDescriptor, _ body: () async throws -> Void) async throws {
        defer { try? file.close() }
        try await body()
    }
}

@Suite struct DiskToolsTests {
    private let ids = DiskIdentifiers(seed: Digest(of: []))

    private func script(_ layout: DiskLayout) throws -> String {
        DiskTools(disk: "/d", scratch: "/s", ids: ids, epoch: 0, runner: CommandRunner(), log: { _ in })
            .tableScript(try DiskGeometry(layout, needed: .mebi(100)), layout)
    }

    @Test func `A GPT has ids of its own and the types of the discoverable partitions`() throws {
        let layout = DiskLayout(size: .automatic(margin: ByteCount(0)))
        let expected = """
            label: gpt
            label-id: \(ids.disk)
            start=2048, size=2048, uuid=\(ids.biosPartition), type=21686148-6449-6E6F-744E-656564454649, name=bios
            start=4096, size=131072, uuid=\(ids.espPartition), type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
            start=135168, size=204800, uuid=\(ids.rootPartition), type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root

            """
        #expect(try script(layout) == expected)
    }

    @Test func `An MBR has a signature and boots its root`() throws {
        let layout = DiskLayout(size: .automatic(margin: ByteCount(0)), table: .mbr, firmware: .both)
        let expected = """
            label: dos
            label-id: 0x\(ids.diskSignature)
            start=2048, size=131072, type=ef
            start=133120, size=204800, type=83, bootable

            """
        #expect(try script(layout) == expected)
    }

    @Test func `Ids come from the seed alone and differ from each other`() {
        let one = DiskIdentifiers(seed: Digest(of: [1]))
        #expect(one == DiskIdentifiers(seed: Digest(of: [1])))
        #expect(one != DiskIdentifiers(seed: Digest(of: [2])))
        let all = [one.disk, one.biosPartition, one.espPartition, one.rootPartition, one.rootFilesystem, one.hashSeed]
        #expect(Set(all).count == all.count)
        #expect(one.espUUID.count == 9 && one.diskSignature.count == 8)
    }
}
