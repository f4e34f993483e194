import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@Suite struct Ext4TimesTests {
    @Test func `No time of a settled filesystem is later than its epoch`() async throws {
        try await Scratch.with { folder in
            let tree = folder.path.appending("tree")
            #expect(mkdir(tree.string, 0o755) == 0)
            try Scratch.write("old", tree.appending("old"))
            try Scratch.write("new", tree.appending("new"))
            var past = [timespec(tv_sec: 1_000_000, tv_nsec: 5), timespec(tv_sec: 1_000_000, tv_nsec: 5)]
            #expect(utimensat(AT_FDCWD, tree.appending("old").string, &past, 0) == 0)
            let disk = folder.path.appending("disk")
            let runner = CommandRunner()
            try await runner.runChecked(
                Command(
                    "mke2fs",
                    [
                        "-q", "-t", "ext4", "-I", "256", "-E", "offset=1048576", "-d", tree.string, disk.string, "8M",
                    ]), activity: "making a filesystem"
            ) { _, _ in }

            try Ext4.settleTimes(disk, offset: 1 << 20, epoch: 1_500_000_000)

            let old = try await times(of: "/old", disk, runner)
            #expect(old == ["000f4240:00000000"])
            for path in ["/new", "/", "/lost+found", "<8>"] {
                let settled = try await times(of: path, disk, runner)
                #expect(settled == ["59682f00:00000000"], "\(path)")
            }
            try await runner.runChecked(
                Command("e2fsck", ["-fn", "\(disk.string)?offset=1048576"]), activity: "checking a filesystem"
            ) { _, _ in }
        }
    }

    @Test func `What is no filesystem is refused with a reason`() async throws {
        try await Scratch.with { folder in
            let file = folder.path.appending("empty")
            try Scratch.write("", file)
            #expect(throws: Ext4.Failure.self) { try Ext4.settleTimes(file, offset: 0, epoch: 1) }
        }
    }

    /// Seconds and extra bits, as debugfs shows them, of all four times.
    private func times(of path: String, _ disk: FilePath, _ runner: any CommandRunning) async throws -> Set<String> {
        let result = try await runner.runChecked(
            Command("debugfs", ["-R", "stat \(path)", "\(disk.string)?offset=1048576"]), activity: "reading an inode"
        ) { _, _ in }
        let lines = result.text.split(separator: "\n").filter { $0.contains("time: 0x") }
        #expect(lines.count == 4)
        return Set(lines.compactMap { $0.split(separator: " ").dropFirst().first.map { String($0.dropFirst(2)) } })
    }
}
