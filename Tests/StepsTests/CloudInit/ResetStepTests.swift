import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// What is about the whole disk; the operations have tests of their own.
@Suite(.timeLimit(.minutes(1))) struct ResetStepTests {
    private static let swap: Range<Int64> = 1 << 20..<5 << 20
    private static let root: Range<Int64> = 5 << 20..<21 << 20
    private static let secret = Array("what a program remembered".utf8)

    /// A disk with a swap area that was used, and a small system.
    private func makeDisk(_ disk: FilePath, in folder: FilePath) async throws {
        let tree = folder.appending("tree")
        mkdir(tree.string, 0o755)
        mkdir(tree.appending("etc").string, 0o755)
        try Scratch.write("NAME=x\n", tree.pushing("etc/os-release"))
        try Scratch.write("0123\n", tree.pushing("etc/machine-id"))
        try Scratch.write(
            """
            # /srv /srv ext4
            UUID=1 / ext4 defaults 0 1
            UUID=2 /boot ext4 defaults 0 2
            LABEL=var /var ext4 defaults 0 2
            UUID=3\t/home/data\txfs\tdefaults 0 2
            UUID=4 none swap sw 0 0
            tmpfs /tmp tmpfs defaults 0 0
            """, tree.pushing("etc/fstab"))
        try await CommandRunner().runChecked(
            Command(
                "mke2fs",
                [
                    "-q", "-F", "-t", "ext4", "-d", tree.string, "-E", "offset=\(Self.root.lowerBound)", disk.string,
                    "16M",
                ]),
            activity: "making a filesystem")
        let file = try FileDescriptor.open(disk, .readWrite)
        try file.closeAfter {
            try DiskChange.addPartition(1, type: 0x82, Self.swap, to: file)
            try DiskChange.addPartition(2, type: 0x83, Self.root, to: file)
            try file.writeAll(toAbsoluteOffset: Self.swap.lowerBound + 4086, Array("SWAPSPACE2".utf8))
            for place in [65536, 200_000, 4 << 20 - 30] {
                try file.writeAll(toAbsoluteOffset: Self.swap.lowerBound + Int64(place), Self.secret)
            }
        }
    }

    @Test func `A swap area is emptied behind its header, and filesystems that are not reached are told`()
        async throws
    {
        try await Scratch.with { scratch in
            let guest = try TinyCloudGuest(scratch.path, "/dev/null", [:])
            try await makeDisk(guest.disk, in: scratch.path)
            let report = try await guest.reset(ResetAction(.defaults, makesHostKeyUnit: false), afterSetup: false)
            #expect(report.operations.first { $0.name == "swap" }?.removed == ["the swap area at byte 1048576"])
            #expect(report.elsewhere == ["/var", "/home/data"])
            #expect(guest.events.warnings.contains("/var is on a filesystem of its own, where nothing was reset"))
            let clone = guest.folder.pushing("reset/disk.raw")
            #expect(try guest.text("/etc/machine-id", of: clone) == "")
            let bytes = try RepositoryFiles.bytes(clone)
            #expect(bytes.count == 21 << 20)
            #expect(bytes[(1 << 20) + 4086..<(1 << 20) + 4096].elementsEqual("SWAPSPACE2".utf8))
            #expect(bytes.firstRange(of: Self.secret) == nil)
            #expect(try RepositoryFiles.bytes(guest.disk).firstRange(of: Self.secret) != nil)
        }
    }

    @Test func `What is not chosen stays in the swap area`() async throws {
        try await Scratch.with { scratch in
            let guest = try TinyCloudGuest(scratch.path, "/dev/null", [:])
            try await makeDisk(guest.disk, in: scratch.path)
            let chosen = ResetAction(ResetSelection([.machineID]), makesHostKeyUnit: false)
            _ = try await guest.reset(chosen, afterSetup: false)
            let bytes = try RepositoryFiles.bytes(guest.folder.pushing("reset/disk.raw"))
            #expect(bytes.firstRange(of: Self.secret) != nil)
        }
    }
}
