import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Compare

@Suite struct DiskDiffTests {
    @Test func `Equal disks have no differences`() async throws {
        try await Disk.with { disk in
            let report = try disk.diff()
            #expect(report.isEqual)
            #expect((report.regionCount, report.notes, report.regions) == (0, [], []))
        }
    }

    @Test func `A byte of a file is told with its path and place`() async throws {
        try await Disk.with { disk in
            let place = try #require(try disk.place(of: "/usr/large", at: 9000))
            try disk.write([0x41], at: place)
            let report = try disk.diff()
            #expect(report.regionCount == 1)
            let region = try #require(report.regions.first)
            #expect(region.place == "partition 2 'root' (ext4)")
            #expect((region.offset, region.length) == (place / 512 * 512, 512))
            #expect(region.offsetInPlace == region.offset - Disk.root)
            #expect(
                report.lines == ["content of a file from byte 9000 on; /usr/large; /usr/second name"])
            #expect(region.sample?.offset == place)
            #expect(region.sample?.second.first == 0x41)
            #expect(report.places.map(\.paths) == [["/usr/large", "/usr/second name"]])
        }
    }

    @Test func `Bytes behind the end of a file are told as such`() async throws {
        try await Disk.with { disk in
            try disk.write([0x41], at: try #require(try disk.place(of: "/usr/large", at: 20_000)) + 10)
            #expect(
                try disk.diff().lines == ["space behind the end of a file; /usr/large; /usr/second name"])
        }
    }

    @Test(
        arguments: [
            ("sif /etc/hostname mtime 1700000000", "mtime: ", "→ 2023-11-14T22:13:20Z"),
            ("sif /etc/hostname mode 0100600", "mode: 0100644 ", "→ 0100600"),
            ("sif /etc/hostname uid 7", "uid: ", "→ 7"),
            ("ea_set /etc/hostname user.a b", "extended attributes", ""),
        ])
    func `A field of an inode is told with the path`(command: String, field: String, value: String) async throws {
        try await Disk.with { disk in
            try await disk.debugfs(command)
            let report = try disk.diff()
            let line = try #require(report.lines.first)
            #expect(report.lines.count == 1)
            #expect(line.hasPrefix("inode "))
            #expect(line.contains("; /etc/hostname; \(field)"), "\(line)")
            #expect(line.hasSuffix(value), "\(line)")
        }
    }

    @Test func `A field of the superblock is told by its name`() async throws {
        try await Disk.with { disk in
            try await disk.debugfs("ssv mkfs_time 20200102030405")
            let line = try #require(try disk.diff().lines.first)
            #expect(line.hasPrefix("superblock; "))
            #expect(line.contains("mkfs_time (made): "), "\(line)")
            #expect(line.contains(" → 2020-01-02T03:04:05Z"), "\(line)")
        }
    }

    @Test func `A new file is told with its folder, inode, bitmaps and content`() async throws {
        try await Disk.with { disk in
            try await Scratch.with { scratch in
                let file = scratch.path.appending("file")
                try Scratch.write("new\n", file)
                try await disk.debugfs("write \(file) new\\file")
            }
            let lines = try disk.diff().lines
            #expect(lines.contains { $0.hasPrefix("folder; /; 'new\\x5cfile' only in the second") }, "\(lines)")
            #expect(lines.contains { $0.contains("inode ") && $0.contains("; /new\\x5cfile; mode: 00 → 0100") })
            #expect(lines.contains { $0.hasPrefix("block bitmap of group 0; 0 in use only in the first, 1 only") })
            #expect(lines.contains { $0.hasPrefix("inode bitmap of group 0; 0 in use only in the first, 1 only") })
            #expect(lines.contains("free space (first)"))
            #expect(lines.contains("content of a file from byte 0 on (second); /new\\x5cfile"))
            #expect(lines.contains { $0.hasPrefix("descriptor of group 0; free blocks: ") })
        }
    }

    @Test func `Free space is told as such`() async throws {
        try await Disk.with { disk in
            let free = try Ext4Filesystem(disk.changed, offset: Disk.root).freeRanges()
            try disk.write([1, 2, 3], at: Disk.root + (try #require(free.last)).upperBound - 4000)
            #expect(try disk.diff().lines == ["free space"])
        }
    }

    @Test func `The journal is told as such`() async throws {
        try await Disk.with { disk in
            let filesystem = try Ext4Filesystem(disk.changed, offset: Disk.root)
            let place = try #require(try filesystem.place(of: 8, at: 4096 * 20))
            try disk.write([1, 2, 3], at: Disk.root + place)
            #expect(try disk.diff().lines == ["journal"])
        }
    }

    @Test func `A partition's GUID differs in both copies of the table`() async throws {
        try await Disk.with { disk in
            let guid = "11111111-2222-3333-4444-555555555555"
            try await Disk.run("sfdisk", ["--quiet", "--part-uuid", disk.changed.string, "2", guid])
            let report = try disk.diff()
            #expect(
                report.places.map(\.place) == [
                    "primary GPT header", "primary GPT entries", "backup GPT entries", "backup GPT header",
                ])
            #expect(report.lines.count { $0.hasPrefix("entry of partition 2; GUID: ") && $0.hasSuffix(guid) } == 2)
            #expect(report.notes.isEmpty)
        }
    }

    @Test func `Tables with other partitions are said not to match`() async throws {
        try await Disk.with { disk in
            try await Disk.run("sfdisk", ["--quiet", "--delete", disk.changed.string, "1"])
            let report = try disk.diff()
            #expect(report.notes == ["the partition tables differ: partitions do not match"])
        }
    }

    @Test func `A file in the FAT is told with its path, and a new one with its entry`() async throws {
        try await Disk.with { disk in
            try await Scratch.with { scratch in
                let file = scratch.path.appending("file")
                try Scratch.write("new\n", file)
                try await Disk.run(
                    "mcopy", ["-i", "\(disk.changed)@@\(Disk.system)", file.string, "::EFI/new.txt"])
            }
            let report = try disk.diff()
            #expect(report.places.map(\.place) == ["partition 1 'esp' (EFI system, FAT)"])
            #expect(report.lines.contains("FAT, copy 1"))
            #expect(report.lines.contains { $0.hasPrefix("entry of a folder; /EFI; 'NEW.TXT': ") }, "\(report.lines)")
            #expect(report.lines.contains { $0.hasPrefix("content of a file from byte 0 on (second); /EFI/") })
        }
    }

    @Test func `Boot code and gaps are told by where they are`() async throws {
        try await Disk.with { disk in
            try disk.write([1], at: 5)
            try disk.write([1], at: 6 << 20)
            let report = try disk.diff()
            #expect(report.places.map(\.place) == ["protective MBR", "gap between partitions"])
            #expect(report.lines == ["boot record; boot code"])
        }
    }

    @Test func `An MBR is told by its fields, and a disk without a table by its filesystem`() async throws {
        try await Disk.with { disk in
            try await Disk.run("sfdisk", ["--quiet", "--delete", disk.changed.string])
            let divided = disk.changed.removingLastComponent().appending("mbr.raw")
            try await Scratch.with { scratch in
                let table = scratch.path.appending("table")
                try Scratch.write("label: dos\nstart=16384, size=32768, type=83\n", table)
                try await Disk.run(
                    "sh",
                    ["-c", "exec sfdisk --quiet --no-reread \"$1\" < \"$2\"", "sh", disk.changed.string, table.string]
                )
            }
            try SparseFile.copy(from: disk.changed, to: divided)
            try disk.write([1, 2, 3, 4], at: 440)
            let report = try Disk.diff(divided, disk.changed)
            #expect(report.places.map(\.place) == ["master boot record"])
            #expect(report.lines.first?.hasSuffix(" → 0x4030201") == true, "\(report.lines)")
            try disk.write([UInt8](repeating: 0, count: 512), at: 0)
            let (notes, places) = { ($0.notes, $0.places) }(try Disk.diff(divided, disk.changed))
            #expect(notes.first?.hasSuffix("second: the disk has no partition table") == true)
            #expect(
                places.map(\.place) == ["master boot record of the first, disk without a partition table of the second"]
            )
        }
    }

    @Test func `A longer disk differs though all that it has more is zero`() async throws {
        try await Disk.with { disk in
            #expect(truncate(disk.changed.string, off_t(Disk.size + 1024)) == 0)
            let report = try disk.diff()
            #expect(!report.isEqual)
            #expect(report.regionCount == 0)
            #expect(
                report.notes == ["the disks have different sizes: \(Disk.size) and \(Disk.size + 1024) bytes"])
            try disk.write([1], at: Disk.size + 600)
            #expect(
                try disk.diff().places.map(\.place) == ["gap between partitions, behind the end of the first"])
        }
    }

    @Test func `A qcow2 file and the raw disk have the same content`() async throws {
        try await Disk.with { disk in
            let source = try FileDescriptor.open(disk.changed, .readOnly, options: .closeOnExec)
            defer { try? source.close() }
            let path = disk.changed.removingLastComponent().appending("disk.qcow2")
            let target = try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
            defer { try? target.close() }
            _ = try QCOW2Writer(compression: .zstd).write(source, to: target)
            let guest = try GuestDisk(target, isQCOW2: true)
            var found = 0
            try DiskComparison(GuestDisk(source, isQCOW2: false), guest, borders: []).forEachRegion { _ in found += 1 }
            #expect(found == 0)
            try disk.write([1], at: Disk.root + 5000)
            try DiskComparison(GuestDisk(source, isQCOW2: false), guest, borders: []).forEachRegion { region in
                #expect(region.bytes == Disk.root + 4608..<Disk.root + 5120)
                found += 1
            }
            #expect(found == 1)
        }
    }

    @Test func `Small gaps are part of a region, large ones and borders are not`() async throws {
        try await Disk.with { disk in
            let free: UInt64 = 6 << 20
            for offset in [0, 1000, 3000, 20_000] as [UInt64] { try disk.write([1], at: free + offset) }
            try disk.write([1], at: Disk.system - 1)
            try disk.write([1], at: Disk.system + 6)
            let regions = try disk.diff().regions.map { [$0.offset, $0.length, $0.sectors] }
            #expect(
                regions == [
                    [Disk.system - 512, 512, 1], [Disk.system, 512, 1], [free, 3072, 3], [free + 19_968, 512, 1],
                ])
        }
    }

    @Test(arguments: 0..<30) func `Damaged filesystems are compared all the same`(seed: UInt64) async throws {
        try await Disk.with { disk in
            var random = Generator(state: seed &* 7919 &+ 1)
            // Where the structures are: the table, the FAT and its folders, the first blocks of the ext4.
            let areas: [Range<UInt64>] = [
                0..<17408, Disk.system..<Disk.system + 40_000, Disk.root + 1024..<Disk.root + 2048,
                Disk.root + 4096..<Disk.root + 8192, Disk.root + 16384..<Disk.root + 200_000,
            ]
            for _ in 0..<20 {
                let area = areas[Int(random.next() % UInt64(areas.count))]
                try disk.write([UInt8(truncatingIfNeeded: random.next())], at: .random(in: area, using: &random))
            }
            let clock = ContinuousClock()
            let start = clock.now
            let report = try disk.diff()
            #expect(!report.isEqual)
            #expect(clock.now - start < .seconds(20))
        }
    }
}

/// Random numbers that are the same each time. Source: Steele, Lea, Flood, SplitMix64.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
