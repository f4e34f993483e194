import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Tooling
import Verify

/// A small disk with a tree like Debian's that breaks no rule. It is made once; each test changes a copy.
struct CleanImage: Sendable {
    let disk: FilePath

    static let policy = VerifyPolicy(
        hostname: "localhost",
        users: [
            UserAccount(
                name: "admin", uid: 1000, sshKeys: [key], sudo: ["ALL=(ALL) NOPASSWD:ALL"], passwordHash: hash)
        ], sources: ["http://deb.debian.org/debian"], files: ["/etc/declared.conf"])

    static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmMlPqqFIVGRvvXCnNIzMcIKWyFIiiAnMwSPeyLEsPO me"
    static let hash =
        "$6$rounds=1000$saltsaltsalt$VerIfyThIsHashIsNoPasswordOfAnybodyAtAllxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    static let root: UInt64 = 8 << 20
    static let esp: UInt64 = 1 << 20
    static let swap: UInt64 = 5 << 20
    static let uuid = "0b9e2f4c-5d3a-4c1b-9e8f-7a6b5c4d3e2f"

    /// The disk that all tests share, in a folder that goes with the test process.
    private static let shared = Task { try await make() }

    /// A copy of the clean disk, gone with the scope.
    static func withCopy<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
        let clean = try await shared.value
        return try await Scratch.with { scratch in
            let copy = scratch.path.appending("disk.raw")
            try SparseFile.copy(from: clean.disk, to: copy)
            return try await body(copy)
        }
    }

    private static func make() async throws -> CleanImage {
        // Made below /tmp by a scope that ends with the making; the disk itself has no name any more after that.
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            try CleanTree.write(to: tree)
            let disk = scratch.path.appending("disk.raw")
            try await makeDisk(disk, of: tree, in: scratch.path)
            let file = try FileDescriptor.open(disk, .readOnly, options: .closeOnExec)
            return CleanImage(disk: FilePath("/proc/self/fd/\(file.rawValue)"))
        }
    }

    private static func makeDisk(_ disk: FilePath, of tree: FilePath, in scratch: FilePath) async throws {
        let runner = CommandRunner(helper: builtExecutable())
        try Scratch.write("", disk)
        guard truncate(disk.string, 34 << 20) == 0 else { throw Errno(rawValue: errno) }
        let table = scratch.appending("table")
        try Scratch.write(
            """
            label: gpt
            start=2048, size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
            start=10240, size=2048, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, name=swap
            start=16384, size=49152, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root

            """, table)
        let system = scratch.appending("esp")
        try Scratch.write("", system)
        guard truncate(system.string, 4 << 20) == 0 else { throw Errno(rawValue: errno) }
        for (program, arguments) in [
            (
                "sh",
                [
                    "-c", "exec sfdisk --quiet --no-reread --no-tell-kernel \"$1\" < \"$2\"", "sh", disk.string,
                    table.string,
                ]
            ),
            ("mkfs.vfat", ["-F", "16", "-s", "1", "-n", "ESP", "-i", "1234abcd", system.string]),
            ("mmd", ["-i", system.string, "::EFI"]),
        ] {
            try await runner.runChecked(Command(program, arguments), activity: "making a disk")
        }
        let source = try FileDescriptor.open(system, .readOnly)
        try source.closeAfter {
            let target = try FileDescriptor.open(disk, .readWrite)
            try target.closeAfter { try SparseFile.place(source, into: target, at: Int64(esp)) }
        }
        try await makeRoot(disk, of: tree, runner)
    }

    /// In a containment, where the caller's files are root's.
    private static func makeRoot(_ disk: FilePath, of tree: FilePath, _ runner: CommandRunner) async throws {
        try Containment.handOver(disk)
        let containment = Containment(
            workSize: .mebi(16),
            binds: [
                .init(source: tree, target: "/mnt/tree"), .init(source: disk, target: "/mnt/disk.raw", writable: true),
            ])
        try await runner.runChecked(
            Command(
                "mke2fs",
                [
                    "-q", "-F", "-t", "ext4", "-O",
                    "none,has_journal,extent,flex_bg,metadata_csum,64bit,dir_index,ext_attr,filetype,sparse_super,extra_isize",
                    "-b", "4096", "-I", "256", "-J", "size=4", "-U", uuid,
                    "-E", "offset=\(root),root_owner=0:0,lazy_journal_init=0,lazy_itable_init=0", "-d", "/mnt/tree",
                    "/mnt/disk.raw", "24576k",
                ], environment: ["MKE2FS_CONFIG": "/dev/null"], containment: containment), activity: "making a root")
        try await Edit.apply(CleanTree.owners, to: disk)
    }
}

/// The tree of the clean image.
enum CleanTree {
    static let owners: [Edit] = [
        .field("/home/admin", "uid", "1000"), .field("/home/admin", "gid", "1000"),
        .field("/home/admin/.ssh", "uid", "1000"), .field("/home/admin/.ssh", "gid", "1000"),
        .field("/home/admin/.ssh/authorized_keys", "uid", "1000"),
        .field("/home/admin/.ssh/authorized_keys", "gid", "1000"),
    ]

    private static let folders = [
        "boot/grub", "dev", "etc/apt/sources.list.d", "etc/cloud/cloud.cfg.d", "etc/ssh/sshd_config.d",
        "etc/sudoers.d", "etc/systemd/system/multi-user.target.wants", "home/admin/.ssh", "mnt", "proc", "root", "run",
        "sys", "tmp", "usr/bin", "usr/sbin", "usr/share/doc", "var/cache/apt/archives/partial", "var/cache/debconf",
        "var/crash", "var/lib/apt/lists/partial", "var/lib/cloud", "var/lib/dbus", "var/lib/dpkg/info",
        "var/lib/dpkg/updates", "var/lib/systemd", "var/log/journal", "var/spool/cron/crontabs", "var/tmp",
    ]

    private static let files: [(path: String, text: String, mode: mode_t)] = [
        ("etc/machine-id", "", 0o444), ("etc/hostname", "localhost\n", 0o644),
        ("etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\nff02::1 ip6-allnodes\n", 0o644),
        (
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
                + "admin:x:1000:1000::/home/admin:/bin/bash\n", 0o644
        ),
        ("etc/group", "root:x:0:\nnogroup:x:65534:\nadmin:x:1000:\n", 0o644),
        ("etc/shadow", "root:*:20000:0:99999:7:::\nnobody:*:::::::\nadmin:\(CleanImage.hash):20000::::::\n", 0o640),
        (
            "etc/fstab",
            "UUID=\(CleanImage.uuid) / ext4 errors=remount-ro 0 1\nUUID=1234-ABCD /boot/efi vfat nofail 0 1\n", 0o644
        ),
        ("etc/os-release", "PRETTY_NAME=\"Debian\"\nID=debian\n", 0o644),
        ("etc/declared.conf", "http_proxy=http://proxy.example:3128\n", 0o644),
        (
            "etc/apt/sources.list.d/debian.sources",
            "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie\nComponents: main\n"
                + "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n", 0o644
        ),
        ("etc/cloud/cloud.cfg", "# a comment\nssh_deletekeys: true\n", 0o644),
        ("etc/ssh/sshd_config", "#PermitRootLogin yes\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n", 0o644),
        ("etc/sudoers", "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n", 0o440),
        ("etc/sudoers.d/90-admin", "admin ALL=(ALL) NOPASSWD:ALL\n", 0o440),
        ("etc/systemd/system/ssh-host-keys.service", "[Service]\nExecStart=/usr/bin/ssh-keygen -A\n", 0o644),
        ("etc/resolv.conf", "", 0o644),
        (
            "boot/grub/grub.cfg",
            "search --no-floppy --fs-uuid --set=root \(CleanImage.uuid)\nlinux /vmlinuz root=UUID=\(CleanImage.uuid) ro\n",
            0o600
        ),
        ("home/admin/.ssh/authorized_keys", CleanImage.key + "\n", 0o600),
        ("usr/sbin/sshd", "a program", 0o755), ("usr/bin/sudo", "a program", 0o4755),
        ("usr/bin/hello", "-----BEGIN PRIVATE KEY-----\0 is what programs compare with", 0o755),
        ("var/cache/debconf/passwords.dat", "", 0o600),
        (
            "var/cache/debconf/config.dat", "Name: passwd/root-password\nTemplate: passwd/root-password\nValue: \n\n",
            0o644
        ),
        (
            "var/lib/dpkg/status",
            "Package: sudo\nStatus: install ok installed\nDepends: libc6 (>= 2.38), awk | mawk\nVersion: 1\n\n"
                + "Package: libc6\nStatus: install ok installed\nVersion: 2.41\n\n"
                + "Package: mawk\nStatus: hold ok installed\nProvides: awk\nVersion: 1\n\n"
                + "Package: old\nStatus: deinstall ok config-files\nVersion: 1\n", 0o644
        ),
        ("var/lib/dpkg/info/sudo.list", "/.\n/usr\n/bin/sudo\n", 0o644),
        ("var/lib/apt/lists/lock", "", 0o640),
        ("var/log/lastlog", "", 0o664),
    ]

    static func write(to tree: FilePath) throws {
        for folder in folders {
            var path = tree
            mkdir(path.string, 0o755)
            for name in folder.split(separator: "/") {
                path.append(String(name))
                mkdir(path.string, 0o755)
            }
        }
        for (path, text, mode) in files {
            let file = tree.pushing(FilePath(path))
            try Scratch.write(text, file)
            chmod(file.string, mode)
        }
        for folder in ["tmp", "var/tmp"] { chmod(tree.pushing(FilePath(folder)).string, 0o1777) }
        symlink("/etc/machine-id", tree.pushing("var/lib/dbus/machine-id").string)
        symlink(
            "/etc/systemd/system/ssh-host-keys.service",
            tree.pushing("etc/systemd/system/multi-user.target.wants/ssh-host-keys.service").string)
    }
}
