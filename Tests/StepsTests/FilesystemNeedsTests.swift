import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct FilesystemNeedsTests {
    @Test func `A tree of many small files gets inodes enough`() {
        for inodes: UInt64 in [0, 1000, 30_000, 200_000, 1_000_000] {
            let needs = FilesystemNeeds(data: ByteCount(inodes * 4096), inodes: inodes)
            #expect(needs.least.bytes / needs.inodeRatio >= inodes, "\(inodes)")
            #expect(needs.least > needs.data)
        }
    }

    @Test func `A tree of large files keeps the usual share of inodes`() {
        #expect(FilesystemNeeds(data: .gibi(2), inodes: 20_000).inodeRatio == 16384)
    }

    @Test func `More data never needs a smaller filesystem`() {
        var before = ByteCount(0)
        for mebi in stride(from: UInt64(0), to: 4096, by: 64) {
            let least = FilesystemNeeds(data: .mebi(mebi), inodes: 10_000).least
            #expect(least >= before)
            before = least
        }
    }

    @Test func `A tree is measured in blocks by its names, links not followed`() async throws {
        try await Scratch.with { scratch in
            try Scratch.write(String(repeating: "x", count: 5000), scratch.path.appending("a"))
            link(scratch.path.appending("a").string, scratch.path.appending("b").string)
            symlink("/usr", scratch.path.appending("c").string)
            let needs = try TreeMeasure.needs(of: scratch.path)
            #expect(needs.inodes == 4)
            #expect(needs.data >= ByteCount(3 * 4096) && needs.data <= ByteCount(6 * 4096))
        }
    }

    /// mke2fs itself says whether the least size is enough.
    @Test(arguments: [1, 1000])
    func `The least filesystem holds its tree`(files: Int) async throws {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            mkdir(tree.string, 0o755)
            for file in 0..<files { try Scratch.write("x", tree.appending("file\(file)")) }
            let needs = try TreeMeasure.needs(of: tree)
            let size = needs.least.rounded(upTo: .mebi(1))
            let disk = scratch.path.appending("disk.raw")
            let file = try FileDescriptor.open(disk, .writeOnly, options: .create, permissions: [.ownerReadWrite])
            try file.closeAfter { try file.resize(to: Int64(size.bytes)) }
            let tools = DiskTools(
                disk: disk, scratch: scratch.path, ids: DiskIdentifiers(seed: Digest(of: [])), epoch: 0,
                runner: CommandRunner(), log: { _ in })
            let part = DiskGeometry.Partition(firstSector: 0, sectors: size.bytes / 512)
            try await tools.makeRoot(of: tree, part, needs)
            let check = try await CommandRunner().run(Command("e2fsck", ["-fn", disk.string])) { _, _ in }
            #expect(check.succeeded, "\(check.lastLines)")
        }
    }
}
