import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// A small system with traces of an instance.
private struct UsedSystem {
    let folder: FilePath
    var disk: FilePath { folder.appending("disk") }

    static let files = [
        "etc/machine-id": "0123456789abcdef\n", "var/lib/dbus/machine-id": "0123456789abcdef\n", "etc/passwd": "root\n",
        "etc/passwd-": "root\n", "etc/ssh/ssh_host_rsa_key": "KEY\n", "etc/ssh/ssh_host_rsa_key.pub": "KEY\n",
        "etc/ssh/sshd_config": "x\n", "etc/systemd/system/.keep": "", "var/lib/systemd/random-seed": "seed",
        "var/lib/cloud/instances/i-1/user-data.txt": "secret\n", "var/lib/cloud/seed/nocloud/user-data": "kept\n",
        "var/lib/cloud/data/instance-id": "i-1\n", "etc/netplan/50-cloud-init.yaml": "network\n",
        "var/log/cloud-init.log": "log\n", "var/log/syslog": "log\n", "var/log/syslog.1": "log\n",
        "var/log/dpkg.log.2.gz": "log\n", "var/log/messages-20261121": "log\n", "var/log/apt/history.log": "log\n",
        "var/log/python3.11": "no rotation\n", "var/log/journal/0123/system.journal": "log\n", "var/log/wtmp": "x",
        "var/log/lastlog": "x", "root/.bash_history": "x\n", "home/one/.zsh_history": "x\n",
        "home/one/.ssh/authorized_keys": "x\n", "home/one/notes": "kept\n", "home/one/notes.bak": "x\n",
        "tmp/.hidden": "x\n", "var/tmp/file": "x\n", "var/cache/apt/archives/a.deb": "x\n",
        "var/cache/apt/pkgcache.bin": "x\n", "var/lib/apt/lists/mirror_Packages": "x\n",
        "var/lib/dhcp/dhclient.leases": "x\n",
        "etc/sysconfig/network-scripts/ifcfg-eth0":
            "DEVICE=eth0\nHWADDR=52:54:00:00:00:01\nDHCP_HOSTNAME=one\nONBOOT=yes\n",
        "etc/sysconfig/network-scripts/ifcfg-eth1": "# Created by cloud-init on instance boot\nDEVICE=eth1\n",
        "etc/NetworkManager/system-connections/wired.nmconnection": "x\n",
        "etc/udev/rules.d/70-persistent-net.rules": "x\n", "etc/udev/rules.d/80-hotplug.rules": "kept\n",
    ]

    static func with(adding more: [String: String] = [:], _ body: (UsedSystem) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            for (path, text) in files.merging(more, uniquingKeysWith: { $1 }) {
                var folder = tree
                mkdir(folder.string, 0o755)
                for name in FilePath(path).components.dropLast() {
                    folder.append(name)
                    mkdir(folder.string, 0o755)
                }
                try Scratch.write(text, tree.pushing(FilePath(path)))
            }
            chmod(tree.pushing("var/log/syslog").string, 0o640)
            let system = UsedSystem(folder: scratch.path)
            try await CommandRunner().runChecked(
                Command("mke2fs", ["-q", "-t", "ext4", "-d", tree.string, system.disk.string, "32M"]),
                activity: "making a filesystem")
            try await body(system)
        }
    }

    func reset(_ lists: [String], makesHostKeyUnit: Bool = false) throws -> [String: ResetReport.Entry] {
        let editor = try Ext4Editor(disk, offset: 0)
        let operations = ResetOperations(
            editor, try ResetSelection(parsing: lists), makesHostKeyUnit: makesHostKeyUnit)
        let report = try operations.run()
        try editor.flush()
        return Dictionary(uniqueKeysWithValues: report.operations.map { ($0.name, $0) })
    }

    func tree() throws -> ImageTree { try ImageTree(Ext4Filesystem(disk, offset: 0)) }

    func isSound() async throws {
        let result = try await CommandRunner().run(Command("e2fsck", ["-f", "-n", disk.string]))
        #expect(result.succeeded, "\(result.text)")
    }
}

@Suite struct ResetOperationsTests {
    private let cloudInit = ["usr/bin/cloud-init": "#!/bin/sh\n"]

    @Test func `What belongs to an instance goes, and nothing else`() async throws {
        try await UsedSystem.with(adding: cloudInit) { system in
            let report = try system.reset(["defaults"])
            try await system.isSound()
            let tree = try system.tree()
            let left = tree.nodes.filter { $0.status.kind == .file && $0.status.size > 0 }.map { "\($0.path)" }.sorted()
            #expect(
                left == [
                    "/etc/passwd", "/etc/ssh/sshd_config", "/etc/sysconfig/network-scripts/ifcfg-eth0",
                    "/etc/udev/rules.d/80-hotplug.rules", "/home/one/notes", "/usr/bin/cloud-init",
                    "/var/lib/cloud/seed/nocloud/user-data",
                ])
            #expect(
                tree.bytes("/etc/sysconfig/network-scripts/ifcfg-eth0") == Array("DEVICE=eth0\nONBOOT=yes\n".utf8))
            #expect(tree.find("/var/log/syslog")?.status.permissions == 0o640)
            #expect(tree.find("/var/log/syslog.1") == nil && tree.find("/var/log/messages-20261121") == nil)
            #expect(tree.find("/var/log/journal")?.status.kind == .folder)
            #expect(tree.find("/etc/machine-id")?.status.size == 0)
            let bus = try #require(tree.find("/var/lib/dbus/machine-id", following: false))
            #expect(try tree.filesystem.link(bus.inode) == Array("/etc/machine-id".utf8))
            #expect(report["machine-id"]?.emptied == ["/etc/machine-id"])
            #expect(report["machine-id"]?.changed == ["/var/lib/dbus/machine-id"])
            #expect(report["cloud-init"]?.removed.contains("/var/lib/cloud/instances") == true)
            #expect(report["cloud-init"]?.removed.contains("/etc/sysconfig/network-scripts/ifcfg-eth1") == true)
            #expect(report["lvm-uuids"]?.note?.contains("not supported offline") == true)
            #expect(report["utmp"]?.note == nil)
        }
    }

    @Test func `What is not chosen stays`() async throws {
        try await UsedSystem.with(adding: cloudInit) { system in
            let report = try system.reset(["utmp,logfiles", "-logfiles", "bash-history"])
            #expect(Set(report.keys) == ["utmp", "bash-history"])
            #expect(report["bash-history"]?.removed == ["/home/one/.zsh_history", "/root/.bash_history"])
            let tree = try system.tree()
            #expect(tree.bytes("/var/log/syslog") == Array("log\n".utf8))
            #expect(tree.find("/etc/ssh/ssh_host_rsa_key") != nil)
            #expect(tree.find("/var/log/wtmp")?.status.size == 0)
        }
    }

    /// What makes new host keys, with the file or link that it is known by.
    static let makers: [(path: String, text: String)] = [
        ("usr/bin/cloud-init", "#!/bin/sh\n"),
        ("etc/systemd/system/multi-user.target.wants/keys.service", "[Service]\nExecStart=/usr/bin/ssh-keygen -A\n"),
        ("usr/lib/systemd/system/multi-user.target.wants/sshd.service", "[Unit]\nWants=sshd-keygen.target\n"),
    ]

    @Test(arguments: makers)
    func `Host keys are removed where something makes new ones`(_ maker: (path: String, text: String)) async throws {
        try await UsedSystem.with(adding: [maker.path: maker.text]) { system in
            let report = try system.reset(["ssh-hostkeys"])
            #expect(report["ssh-hostkeys"]?.removed.count == 2 && report["ssh-hostkeys"]?.changed == [])
            #expect(try system.tree().match("/etc/ssh/*_host_*").isEmpty)
        }
    }

    static let noMakers: [[String: String]] = [
        [:], ["usr/bin/cloud-init": "#!/bin/sh\n", "etc/cloud/cloud-init.disabled": ""],
        ["usr/lib/systemd/system/keys.service": "[Service]\nExecStart=/usr/bin/ssh-keygen -A\n"],
        ["etc/systemd/system/multi-user.target.wants/x.service": "# ssh-keygen\n[Service]\nExecStart=/bin/true\n"],
    ]

    @Test(arguments: noMakers)
    func `Host keys stay where nothing would make new ones, and nothing is changed`(_ more: [String: String])
        async throws
    {
        try await UsedSystem.with(adding: more) { system in
            let before = try await CommandRunner().run(Command("sha256sum", [system.disk.string])).text
            let error = #expect(throws: FactoryError.self) { try system.reset(["defaults"]) }
            #expect(error?.message.contains("nothing in the image would make new ones") == true)
            #expect(error?.remedy != nil)
            #expect(try await CommandRunner().run(Command("sha256sum", [system.disk.string])).text == before)
        }
    }

    @Test func `A unit that makes host keys is installed when asked for`() async throws {
        try await UsedSystem.with { system in
            let report = try system.reset(["ssh-hostkeys"], makesHostKeyUnit: true)
            #expect(report["ssh-hostkeys"]?.changed == ["/etc/systemd/system/image-factory-host-keys.service"])
            try await system.isSound()
            let editor = try Ext4Editor(system.disk, offset: 0)
            #expect(try ResetOperations(editor, .defaults).makesHostKeys())
            #expect(try editor.match("/etc/ssh/*_host_*").isEmpty)
        }
    }

    @Test func `All operations run on a system that has none of their files`() async throws {
        try await UsedSystem.with(adding: cloudInit) { system in
            let report = try system.reset(["all"])
            #expect(report.count == ResetOperation.allCases.count)
            #expect(report["flag-reconfiguration"]?.changed == ["/.unconfigured"])
            #expect(
                Set(report.values.filter { $0.note != nil }.map(\.name)) == [
                    "fs-uuids", "lvm-uuids", "customize", "script", "user-account",
                ])
            try await system.isSound()
        }
    }
}
