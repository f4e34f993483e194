import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Compare

@Suite struct TarDiffTests {
    /// A tree packed twice, the second time after a change.
    private func diff(
        limit: Int = 100, compressed: Bool = false, pax: [String] = [], _ change: (FilePath) throws -> Void
    ) async throws -> DiffReport {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            for folder in ["", "etc", String(repeating: "long", count: 50)] {
                mkdir(tree.pushing(FilePath(folder)).string, 0o755)
            }
            try Scratch.write("web\n", tree.pushing("etc/hostname"))
            try Scratch.write(String(repeating: "x", count: 100_000), tree.appending("large"))
            symlink("etc/hostname", tree.appending("link").string)
            try Scratch.write("", tree.appending(String(repeating: "long", count: 50)).appending("name"))
            let (one, other) = (scratch.path.appending("one.tar"), scratch.path.appending("other.tar"))
            try await pack(tree, one)
            try change(tree)
            try await pack(tree, other, pax)
            guard compressed else { return try Self.diff(one, other, limit: limit) }
            try await CommandRunner().runChecked(Command("zstd", ["-q", other.string]), activity: "compressing")
            return try Self.diff(one, FilePath(other.string + ".zst"), limit: limit)
        }
    }

    private func pack(_ tree: FilePath, _ file: FilePath, _ options: [String] = []) async throws {
        try await CommandRunner().runChecked(
            Command(
                "tar",
                ["-C", tree.string, "--sort=name", "--format=pax", "--mtime=@1700000000"] + options
                    + ["--pax-option=delete=atime,delete=ctime", "-cf", file.string, "."]), activity: "packing")
    }

    private static func diff(_ one: FilePath, _ other: FilePath, limit: Int = 100) throws -> DiffReport {
        let first = try FileDescriptor.open(one, .readOnly, options: .closeOnExec)
        defer { try? first.close() }
        let second = try FileDescriptor.open(other, .readOnly, options: .closeOnExec)
        defer { try? second.close() }
        let side = DiffReport.Side(format: "tar", size: ByteCount(0), fileSize: ByteCount(0))
        var report = DiffReport(first: side, second: side, isEqual: false, filesAreEqual: false)
        try TarDiff(
            .init(first, isZstd: one.extension == "zst"), .init(second, isZstd: other.extension == "zst")
        ).run(limit: limit, into: &report)
        return report
    }

    @Test(arguments: [false, true])
    func `Equal members are equal, whatever the file is compressed with`(compressed: Bool) async throws {
        let report = try await diff(compressed: compressed) { _ in }
        #expect(report.isEqual)
        #expect((report.equalEntries, report.differingEntries) == (7, 0))
        #expect(report.first.size == report.second.size)
    }

    @Test(arguments: [false, true])
    func `A content is told with the first byte that differs`(compressed: Bool) async throws {
        let report = try await diff(compressed: compressed) { tree in
            let file = try FileDescriptor.open(tree.appending("large"), .writeOnly)
            try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: 70_000, [0x41]) }
        }
        #expect(report.entries.map(\.path) == ["/large"])
        #expect(report.entries.map(\.changes) == [["content"]])
        #expect(report.entries.first?.sample?.offset == 70_000)
        #expect(report.entries.first?.sample?.second.first == 0x41)
        #expect((report.equalEntries, report.differingEntries) == (6, 1))
    }

    @Test func `Mode, size, link and type are told`() async throws {
        let report = try await diff { tree in
            chmod(tree.pushing("etc/hostname").string, 0o600)
            unlink(tree.appending("link").string)
            symlink("nowhere", tree.appending("link").string)
            truncate(tree.appending("large").string, 99_999)
        }
        let changes = Dictionary(uniqueKeysWithValues: report.entries.map { ($0.path, $0.changes) })
        #expect(changes["/etc/hostname"] == ["mode: 0644 → 0600"])
        #expect(changes["/link"] == ["link: 'etc/hostname' → 'nowhere'"])
        #expect(changes["/large"] == ["size: 100000 → 99999", "content"])
        #expect(report.differingEntries == 3)
    }

    @Test func `Times, owners and pax records are told`() async throws {
        let report = try await diff(pax: ["--mtime=@1700000001", "--owner=me:7", "--pax-option=SCHILY.xattr.user.a=b"])
        { _ in }
        #expect(report.differingEntries == 7)
        let changes = try #require(report.entries.first).changes
        #expect(changes.contains("mtime: 2023-11-14T22:13:20Z → 2023-11-14T22:13:21Z"))
        #expect(changes.contains { $0.hasPrefix("owner: ") && $0.contains(" → 7:") })
        #expect(changes.contains { $0.hasPrefix("owner's name: ") && $0.hasSuffix(" → 'me'") })
        #expect(changes.contains("record SCHILY.xattr.user.a: none → 'b'"))
    }

    @Test func `Members of one archive only are told, and the rest counted`() async throws {
        let report = try await diff(limit: 1) { tree in
            try Scratch.write("", tree.appending("new\u{1}"))
            unlink(tree.appending("large").string)
        }
        #expect(report.entries.map(\.path) == ["/large"])
        #expect(report.entries.first?.only == .first)
        #expect(report.differingEntries == 2)
    }

    @Test func `The same members in another order are different`() async throws {
        let report = try await diff(pax: ["--sort=none", "--no-recursion"]) { _ in }
        #expect(!report.isEqual)
    }

    @Test func `An archive that is cut off or damaged is not compared`() async throws {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            mkdir(tree.string, 0o755)
            try Scratch.write(String(repeating: "x", count: 100_000), tree.appending("large"))
            let sound = scratch.path.appending("one.tar")
            try await pack(tree, sound)
            let bytes = try RepositoryFiles.bytes(sound)
            let damaged = scratch.path.appending("damaged.tar")
            for at in [0, 100, 124, 148, 157] {
                var copy = bytes
                copy[at] ^= 0x15
                try write(copy, damaged)
                #expect(throws: TarError.self) { try Self.diff(sound, damaged) }
            }
            try write(Array(bytes.prefix(5000)), damaged)
            let error = #expect(throws: TarError.self) { try Self.diff(sound, damaged) }
            #expect(error?.reason.hasPrefix("the second archive cannot be read: it ends in the middle") == true)
            let packed = scratch.path.appending("packed.tar.zst")
            try write([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3, 4], packed)
            #expect(throws: TarError.self) { try Self.diff(sound, packed) }
        }
    }

    private func write(_ bytes: [UInt8], _ path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }
}
