import DiskFormats
import Engine
import Filesystems
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// A disk as an installer leaves it, and what the step makes of it.
private struct Installation {
    static let start: UInt64 = 1 << 20
    let folder: FilePath
    /// As the installer has left it.
    var disk: FilePath { folder.appending("disk.raw") }
    var result: FilePath { folder.appending("out/disk.raw") }

    static func with(_ body: (Installation) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            chmod(scratch.path.string, 0o755)
            for name in ["installed", "out", "scratch", "tree"] { mkdir(scratch.path.appending(name).string, 0o755) }
            try await body(Installation(folder: scratch.path))
        }
    }

    func file(_ path: String, _ text: String) throws {
        folder(above: path)
        try Scratch.write(text, self.folder.appending("tree").pushing(FilePath(path)))
    }

    /// Makes the folders in which a path lies.
    func folder(above path: String) {
        var folder = self.folder.appending("tree")
        for name in FilePath(path).components.dropLast() {
            folder.append(name)
            mkdir(folder.string, 0o755)
        }
    }

    func link(_ path: String, _ target: String) {
        symlink(target, folder.appending("tree").pushing(FilePath(path)).string)
    }

    /// A disk of 64 MiB with partitions as sfdisk takes them, and the tree in the filesystem at 1 MiB.
    func make(_ table: String = "label: gpt\nstart=2048, size=98304\n", filesystem: [String]? = ["-t", "ext4"])
        async throws
    {
        try Scratch.write(table, folder.appending("table"))
        try await run("truncate", ["-s", "64M", disk.string])
        try await run(
            "sh", ["-c", "sfdisk -q \"$1\" < \"$2\"", "sfdisk", disk.string, folder.appending("table").string])
        guard let filesystem else { return }
        try await run(
            "mke2fs",
            ["-q"] + filesystem
                + ["-E", "offset=\(Self.start)", "-d", folder.appending("tree").string, disk.string, "48M"])
    }

    func run(_ program: String, _ arguments: [String]) async throws {
        try await CommandRunner().runChecked(Command(program, arguments), activity: "making a disk")
    }

    /// Returns the record and what was told.
    @discardableResult
    func seal(_ rule: Netinstall.PartitionRule = .linux) async throws -> (record: SealRecord, warnings: [String]) {
        let warnings = Mutex<[String]>([])
        let installed = folder.appending("installed")
        func context(_ inputs: [String: FilePath], _ output: FilePath) -> StepContext {
            StepContext(
                inputs: inputs, output: output, scratch: folder.appending("scratch"),
                report: StepReport(step: "seal") { event in
                    if case .warning(_, let text) = event { warnings.withLock { $0.append(text) } }
                })
        }
        let runner = CommandRunner(helper: builtExecutable())
        let environment = StepEnvironment(
            runner: runner, tools: ToolInventory(runner: runner), executable: builtExecutable(), packages: folder,
            lock: nil, cache: folder, logs: folder, mirrors: [:], localFiles: [:], bootLimit: .seconds(1))
        try SparseFile.copy(from: disk, to: installed.appending("disk.raw"))
        try await InstalledDiskSealing(environment).run(in: context([:], installed))
        try await SealStep(action: SealAction(partitions: rule)).run(
            in: context(["disk": installed.appending("disk.raw")], folder.appending("out")))
        let record = try Canonical.decode(
            SealRecord.self, from: try RepositoryFiles.bytes(folder.appending("out/seal.json")))
        return (record, warnings.withLock { $0 })
    }

    var logs: String { get throws { try Scratch.read(folder.appending("out/installer-logs.txt")) } }

    func tree() throws -> ImageTree { try ImageTree(Ext4Filesystem(result, offset: Self.start)) }

    func isSound() async throws {
        let result = try await CommandRunner().run(
            Command("e2fsck", ["-f", "-n", "\(result)?offset=\(Self.start)"]))
        #expect(result.succeeded, "\(result.text)")
    }

    func holds(_ text: String, _ disk: FilePath) async throws -> Bool {
        try await CommandRunner().run(Command("grep", ["-q", "-a", "-F", text, disk.string])).succeeded
    }
}

@Suite struct SealStepTests {
    @Test func `An installer's logs are kept beside the disk and leave it`() async throws {
        try await Installation.with { installation in
            try installation.file("root/anaconda-ks.cfg", "rootpw --lock Kept-Only-Beside\n")
            try installation.file("var/log/installer/syslog", "step one\nstep two Kept-Only-Beside")
            try installation.file("var/log/installer/cdebconf/templates.dat", "Removed-Untold")
            try installation.file("var/log/anaconda/journal.log", "x\n")
            try installation.file("var/adm/autoinstall/logs/y2", "y\n")
            try installation.file("var/log/dpkg.log", "stays\n")
            try await installation.make()
            let (record, warnings) = try await installation.seal()
            #expect(warnings == [])
            #expect(record.compacted && !record.wasRepaired && record.root == 1 && record.filesystem == "ext4")
            #expect(
                record.removed == [
                    "/root/anaconda-ks.cfg", "/var/adm/autoinstall", "/var/log/anaconda", "/var/log/installer",
                ])
            let expected = """
                Content of /root/anaconda-ks.cfg:
                rootpw --lock Kept-Only-Beside
                Content of /var/adm/autoinstall/logs/y2:
                y
                Content of /var/log/anaconda/journal.log:
                x
                Content of /var/log/installer/syslog:
                step one
                step two Kept-Only-Beside

                """
            #expect(try installation.logs == expected)
            #expect(try await installation.holds("Kept-Only-Beside", installation.disk))
            #expect(try await !installation.holds("Kept-Only-Beside", installation.result))
            #expect(try await !installation.holds("Removed-Untold", installation.result))
            let tree = try installation.tree()
            #expect(tree.bytes("/var/log/dpkg.log") == Array("stays\n".utf8))
            #expect(tree.find("/var/log/installer") == nil)
            try await installation.isSound()
        }
    }

    @Test func `Data in free blocks and in the idle journal does not come along`() async throws {
        try await Installation.with { installation in
            try installation.file("kept", "kept\n")
            try await installation.make()
            let filesystem = try Ext4Filesystem(installation.disk, offset: Installation.start)
            let unused = try filesystem.unusedRanges()
            let file = try FileDescriptor.open(installation.disk, .readWrite)
            try file.closeAfter {
                for range in unused {
                    let place = Int64(Installation.start + range.lowerBound)
                    _ = try file.writeAll(toAbsoluteOffset: place, Array("Old-Content".utf8))
                    _ = try file.writeAll(toAbsoluteOffset: place + Int64(range.count) - 20, Array("Old-Content".utf8))
                }
                // Between the partition and the end of the disk: nobody says that it is free.
                _ = try file.writeAll(toAbsoluteOffset: 55 << 20, Array("Outside".utf8))
            }
            let (record, _) = try await installation.seal()
            #expect(record.freed.bytes >= 4096 * 2)
            #expect(try await installation.holds("Old-Content", installation.disk))
            #expect(try await !installation.holds("Old-Content", installation.result))
            #expect(try await installation.holds("Outside", installation.result))
            #expect(try installation.tree().bytes("/kept") == Array("kept\n".utf8))
            try await installation.isSound()
        }
    }

    /// Where links may be to lead the removal astray.
    enum LinkPlaces: String, CaseIterable {
        case atWhatIsRemoved, above, below

        var paths: [String] {
            switch self {
            case .atWhatIsRemoved:
                [
                    "root/anaconda-ks.cfg", "root/original-ks.cfg", "root/install.log", "root/install.log.syslog",
                    "root/autoinst.xml", "var/adm/autoinstall", "var/lib/YaST2", "var/log/anaconda",
                    "var/log/anaconda.log", "var/log/installer", "var/log/YaST2",
                ]
            case .above: ["root", "var/adm", "var/lib", "var/log"]
            case .below:
                [
                    "var/adm/autoinstall/logs", "var/lib/YaST2/installer", "var/log/anaconda/syslog",
                    "var/log/installer/syslog", "var/log/installer/log", "var/log/YaST2/y2log",
                ]
            }
        }
    }

    /// To folders of the image, of the host, to nowhere and to themselves.
    @Test(
        arguments: ["/etc", "../../../../../../../../etc", "/", ".", "installer", "/nowhere", "HOST"],
        LinkPlaces.allCases)
    func `Links of a hostile image lead to nothing outside of it`(target: String, places: LinkPlaces) async throws {
        try await Installation.with { installation in
            let host = installation.folder.appending("host")
            mkdir(host.string, 0o755)
            let names = ["anaconda-ks.cfg", "autoinstall", "installer", "log", "syslog"]
            for name in names { try Scratch.write("of the host\n", host.appending(name)) }
            let before = Scratch.names("/etc")
            let target = target == "HOST" ? host.string : target
            try installation.file("etc/passwd", "root:x\n")
            try installation.file("etc/kept/file", "x\n")
            for folder in ["root", "var/adm", "var/lib", "var/log"] where places != .above {
                try installation.file(folder + "/.keep", "")
            }
            for path in places.paths {
                installation.folder(above: path)
                installation.link(path, target)
            }
            try await installation.make()
            try await installation.seal()
            try await installation.isSound()
            let tree = try installation.tree()
            #expect(tree.bytes("/etc/passwd") == Array("root:x\n".utf8))
            #expect(tree.bytes("/etc/kept/file") == Array("x\n".utf8))
            if places != .above {
                for path in places.paths {
                    #expect(tree.find(BytePath("/" + path), following: false) == nil, "\(path)")
                }
            }
            #expect(try !installation.logs.contains("of the host"))
            #expect(Scratch.names(host) == names)
            for name in names { #expect(try Scratch.read(host.appending(name)) == "of the host\n") }
            #expect(Scratch.names("/etc") == before)
        }
    }

    @Test func `Parents that are links are followed inside the image`() async throws {
        try await Installation.with { installation in
            try installation.file("etc/installer/syslog", "inside\n")
            try installation.file("var/.keep", "")
            installation.link("var/log", "../../../../etc")
            try await installation.make()
            let (record, _) = try await installation.seal()
            #expect(record.removed == ["/etc/installer"])
            #expect(try installation.logs == "Content of /etc/installer/syslog:\ninside\n")
            try await installation.isSound()
        }
    }

    @Test func `A log that is no UTF-8 is told with replacements, a long one is cut`() async throws {
        try await Installation.with { installation in
            try installation.file("var/log/installer/syslog", String(repeating: "long line\n", count: 500_000))
            let bytes = installation.folder.appending("tree/var/log/anaconda.log")
            let file = try FileDescriptor.open(bytes, .writeOnly, options: .create, permissions: .init(rawValue: 0o600))
            try file.closeAfter { _ = try file.writeAll([0x61, 0xff, 0x62, 0x0a]) }
            try await installation.make()
            try await installation.seal()
            let logs = try installation.logs
            #expect(logs.hasPrefix("Content of /var/log/anaconda.log:\na\u{fffd}b\nContent of"))
            #expect(logs.hasSuffix("(cut off: it has 5000000 bytes)\n"))
            #expect(logs.utf8.count < (4 << 20) + 1000)
        }
    }

    @Test func `A journal that was not finished is replayed, and that is told`() async throws {
        try await Installation.with { installation in
            try installation.file("var/log/installer/syslog", "x\n")
            try installation.file("kept", String(repeating: "old ", count: 2500))
            try await installation.make()
            let filesystem = try Ext4Filesystem(installation.disk, offset: Installation.start)
            let kept = try #require(try ImageTree(filesystem).find("/kept"))
            let block = try #require(try filesystem.place(of: kept.inode, at: 0)) / filesystem.facts.blockSize
            let (content, orders) = (installation.folder.appending("block"), installation.folder.appending("orders"))
            try Scratch.write(String(repeating: "new ", count: Int(filesystem.facts.blockSize) / 4), content)
            try Scratch.write("jo\njw -b \(block) \(content)\njc\n", orders)
            try await installation.run(
                "debugfs", ["-w", "-f", orders.string, "\(installation.disk)?offset=\(Installation.start)"])
            let (record, warnings) = try await installation.seal()
            #expect(record.wasRepaired && record.compacted)
            #expect(warnings.count == 1 && warnings[0].contains("journal was replayed"))
            #expect(record.removed == ["/var/log/installer"])
            #expect(try installation.tree().bytes("/kept")?.prefix(8) == Array("new new ".utf8)[...])
            try await installation.isSound()
        }
    }

    @Test func `Counts of quotas are right after the change`() async throws {
        try await Installation.with { installation in
            try installation.file("var/log/installer/syslog", String(repeating: "x", count: 100_000))
            try await installation.make(filesystem: ["-t", "ext4", "-O", "quota"])
            try await installation.seal()
            try await installation.isSound()
        }
    }

    @Test func `Another filesystem stays as it is, with a warning`() async throws {
        try await Installation.with { installation in
            try await installation.make(filesystem: nil)
            let file = try FileDescriptor.open(installation.disk, .readWrite)
            try file.closeAfter {
                _ = try file.writeAll(toAbsoluteOffset: Int64(Installation.start), Array("XFSB and its data".utf8))
            }
            let (record, warnings) = try await installation.seal()
            #expect(!record.compacted && record.reason?.hasPrefix("xfs cannot be edited") == true)
            #expect(warnings.count == 1 && warnings[0].contains("fstrim"))
            #expect(
                Digest(of: try RepositoryFiles.bytes(installation.result))
                    == Digest(of: try RepositoryFiles.bytes(installation.disk)))
        }
    }

    @Test func `A filesystem larger than its partition is refused`() async throws {
        try await Installation.with { installation in
            try await installation.make("label: gpt\nstart=2048, size=20480\nstart=28672, size=20480\n")
            let error = await #expect(throws: FactoryError.self) { try await installation.seal() }
            #expect(error?.message.hasSuffix("it is larger than its partition") == true)
        }
    }

    static let tables: [(table: String, rule: Netinstall.PartitionRule, message: String?)] = [
        ("label: gpt\nstart=2048, size=98304\n", .strict, nil),
        ("label: dos\nstart=2048, size=98304, type=83\n", .strict, nil),
        (
            "label: gpt\nstart=2048, size=98304\nstart=102400, size=2048, type=21686148-6449-6E6F-744E-656564454649\n",
            .linux, nil
        ),
        (
            "label: dos\nstart=2048, size=98304\nstart=102400, size=20480, type=5\nstart=104448, size=2048\n", .linux,
            nil
        ),
        (
            "label: dos\nstart=2048, size=98304\nstart=102400, size=20480, type=5\nstart=104448, size=2048\n", .strict,
            "Expected exactly one partition in the installed disk, but found 2 partitions (1 ext4, 5 unknown)."
        ),
        (
            "label: gpt\nstart=2048, size=98304\nstart=102400, size=2048\n", .strict,
            "Expected exactly one partition in the installed disk, but found 2 partitions (1 ext4, 2 unknown)."
        ),
        (
            "label: gpt\nstart=102400, size=2048\n", .linux,
            "Expected exactly one partition with a Linux filesystem in the installed disk, but found no partitions."
        ),
        ("label: gpt\n", .strict, "Expected exactly one partition in the installed disk, but found no partitions."),
    ]

    @Test(arguments: tables)
    func `Partitions are counted by the rule`(
        _ row: (table: String, rule: Netinstall.PartitionRule, message: String?)
    ) async throws {
        try await Installation.with { installation in
            try await installation.make(row.table)
            if let message = row.message {
                let error = await #expect(throws: FactoryError.self) { try await installation.seal(row.rule) }
                #expect(error?.message == message)
                #expect(error?.remedy != nil)
            } else {
                #expect(try await installation.seal(row.rule).record.root == 1)
            }
        }
    }

    @Test func `A disk without a table is told to be empty`() async throws {
        try await Installation.with { installation in
            try await installation.run("truncate", ["-s", "64M", installation.disk.string])
            let error = await #expect(throws: FactoryError.self) { try await installation.seal() }
            #expect(
                error?.message
                    == "Failed to read the disk: the disk has no partition table. Maybe the disk is still empty?")
        }
    }
}
