import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Tooling

@testable import Compare

/// A small disk with a FAT and an ext4, made once; each test changes a copy of it.
struct Disk {
    let original: FilePath
    let changed: FilePath

    static let system: UInt64 = 1 << 20
    static let root: UInt64 = 8 << 20
    static let size: UInt64 = 26 << 20

    /// In a file without a name, which goes with the test process.
    private static let shared = Task { try await make() }

    static func with<Value>(_ body: (Disk) async throws -> Value) async throws -> Value {
        let original = try await shared.value
        return try await Scratch.with { scratch in
            let changed = scratch.path.appending("changed.raw")
            try SparseFile.copy(from: original, to: changed)
            return try await body(Disk(original: original, changed: changed))
        }
    }

    /// What differs between the disk and its changed copy.
    func diff(limit: Int = 100) throws -> DiffReport { try Self.diff(original, changed, limit: limit) }

    static func diff(_ one: FilePath, _ other: FilePath, limit: Int = 100) throws -> DiffReport {
        let first = try FileDescriptor.open(one, .readOnly, options: .closeOnExec)
        defer { try? first.close() }
        let second = try FileDescriptor.open(other, .readOnly, options: .closeOnExec)
        defer { try? second.close() }
        let side = DiffReport.Side(format: "raw", size: ByteCount(0), fileSize: ByteCount(0))
        var report = DiffReport(first: side, second: side, isEqual: false, filesAreEqual: false)
        try DiskDiff(GuestDisk(first, isQCOW2: false), GuestDisk(second, isQCOW2: false)).run(
            limit: limit, into: &report)
        return report
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws {
        let file = try FileDescriptor.open(changed, .writeOnly, options: .closeOnExec)
        try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
    }

    /// Has debugfs change the ext4.
    func debugfs(_ lines: String...) async throws {
        try await Scratch.with { scratch in
            let script = scratch.path.appending("script")
            try Scratch.write(lines.joined(separator: "\n") + "\n", script)
            try await Self.run("debugfs", ["-w", "-f", script.string, "\(changed)?offset=\(Self.root)"])
        }
    }

    /// The place on the disk of a byte of a file in the ext4.
    func place(of path: BytePath, at offset: UInt64) throws -> UInt64? {
        let tree = try ImageTree(Ext4Filesystem(changed, offset: Self.root))
        return try tree.find(path).flatMap { try tree.filesystem.place(of: $0.inode, at: offset) }.map {
            Self.root + $0 + offset % 4096
        }
    }

    static func run(_ program: String, _ arguments: [String]) async throws {
        try await CommandRunner().runChecked(Command(program, arguments), activity: "changing a disk")
    }

    private static func make() async throws -> FilePath {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            for folder in ["", "etc", "usr"] { mkdir(tree.pushing(FilePath(folder)).string, 0o755) }
            try Scratch.write("web\n", tree.pushing("etc/hostname"))
            try Scratch.write(String(repeating: "x", count: 20_001), tree.pushing("usr/large"))
            link(tree.pushing("usr/large").string, tree.pushing("usr/second name").string)
            let loader = scratch.path.appending("loader")
            try Scratch.write(String(repeating: "y", count: 5000), loader)
            let disk = scratch.path.appending("disk.raw")
            try Scratch.write("", disk)
            guard truncate(disk.string, off_t(size)) == 0 else { throw Errno(rawValue: errno) }
            let table = scratch.path.appending("table")
            try Scratch.write(
                """
                label: gpt
                start=2048, size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
                start=16384, size=32768, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root

                """, table)
            try await run(
                "sh",
                ["-c", "exec sfdisk --quiet --no-reread \"$1\" < \"$2\"", "sh", disk.string, table.string])
            try await run("mkfs.vfat", ["-F", "16", "-s", "1", "--offset", "2048", disk.string, "4096"])
            try await run("mmd", ["-i", "\(disk)@@\(system)", "::EFI"])
            try await run("mcopy", ["-i", "\(disk)@@\(system)", loader.string, "::EFI/loader.efi"])
            try await run(
                "mke2fs",
                [
                    "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-J", "size=4", "-E",
                    "offset=\(root),lazy_itable_init=0", "-d", tree.string, disk.string, "16M",
                ])
            let file = try FileDescriptor.open(disk, .readOnly, options: .closeOnExec)
            return FilePath("/proc/self/fd/\(file.rawValue)")
        }
    }
}

extension DiffReport {
    /// All parts, each in a line.
    var lines: [String] {
        regions.flatMap(\.parts).map { part in
            let only = part.only.map { " (\($0.rawValue))" } ?? ""
            return ([part.what + only] + part.paths + part.changes).joined(separator: "; ")
        }
    }
}
