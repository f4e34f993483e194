import Engine
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// A tree that is packed, cleaned by the step in its containment, and looked at.
private struct CleanedTree {
    let folder: FilePath
    private let runner = CommandRunner(helper: builtExecutable())

    init(_ scratch: Scratch) {
        folder = scratch.path
        // The contained process is another user.
        chmod(folder.string, 0o755)
        for name in ["tree", "cleaned"] { mkdir(folder.appending(name).string, 0o755) }
    }

    func plant(_ path: String, _ text: String = "planted", mode: mode_t = 0o644) throws {
        var above = folder.appending("tree")
        for component in FilePath(path).components.dropLast() {
            above.append(component)
            mkdir(above.string, 0o755)
        }
        let file = folder.appending("tree" + path)
        try Scratch.write(text, file)
        chmod(file.string, mode)
    }

    func link(_ path: String, to target: String) { symlink(target, folder.appending("tree" + path).string) }

    /// Packs the tree with all files owned by 104:4, cleans it, and unpacks what came out into `cleaned`.
    func clean(secrets: [SecretValue] = []) async throws {
        let packed = folder.appending("tree.tar")
        try await tar([
            "--create", "--file=\(packed)", "--directory=\(folder.appending("tree"))", "--owner=104", "--group=4", ".",
        ])
        try await clean(packed, to: "out", secrets)
        try await tar([
            "--extract", "--file=\(folder.appending("out/tree.tar"))", "--directory=\(folder.appending("cleaned"))",
        ])
    }

    /// Cleans an archive into a new folder.
    func clean(_ archive: FilePath, to name: String, _ secrets: [SecretValue] = []) async throws {
        let (output, scratch) = (folder.appending(name), folder.appending("scratch-" + name))
        for path in [output, scratch] { mkdir(path.string, 0o755) }
        let environment = StepEnvironment(
            runner: runner, tools: ToolInventory(runner: runner), executable: builtExecutable(), packages: folder,
            lock: nil, cache: folder, logs: folder, mirrors: [:], localFiles: [:], bootLimit: .seconds(1),
            secrets: secrets)
        let context = StepContext(
            inputs: ["tree": archive], output: output, scratch: scratch, report: StepReport(step: "clean") { _ in })
        try await CleanStep(
            action: CleanAction(secrets: secrets.map(\.name), epoch: 1_700_000_000), environment: environment
        ).run(in: context)
    }

    @discardableResult
    func tar(_ arguments: [String]) async throws -> String {
        try await runner.runChecked(Command("tar", arguments), activity: "tar") { _, _ in }.text
    }

    /// The files and links below a folder of the cleaned tree.
    func files(_ place: String = "") -> [String] {
        let folder = self.folder.appending("cleaned" + place)
        return Scratch.names(folder).flatMap { name -> [String] in
            var facts = stat()
            lstat(folder.appending(name).string, &facts)
            return facts.st_mode & S_IFMT == S_IFDIR ? files(place + "/" + name) : [place + "/" + name]
        }
    }

    func text(_ path: String) throws -> String { try Scratch.read(folder.appending("cleaned" + path)) }
}

@Suite struct CleanStepTests {
    /// What has to be gone, one of each class.
    private static let removed = [
        "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub", "/var/lib/systemd/random-seed",
        "/var/lib/systemd/credential.secret", "/etc/apt/apt.conf.d/99mmdebstrap", "/etc/nvme/hostid",
        "/root/.bash_history", "/home/admin/.viminfo", "/home/admin/.ssh/known_hosts", "/var/lib/cloud/instance",
        "/var/lib/cloud/instances/i-1/user-data.txt", "/var/lib/dhcp/dhclient.leases", "/var/crash/vmcore",
        "/var/lib/systemd/coredump/core", "/var/log/journal/0123/system.journal",
        "/var/lib/NetworkManager/secret_key", "/etc/udev/rules.d/70-persistent-net.rules",
        "/var/lib/apt/lists/mirror_InRelease", "/var/cache/apt/pkgcache.bin", "/tmp/a/b", "/var/tmp/c", "/run/d",
        "/etc/shadow-", "/etc/.pwd.lock", "/var/cache/debconf/config.dat-old", "/etc/resolv.conf",
        "/var/cache/ldconfig/aux-cache",
    ]

    @Test func `Nothing is left of the machine that built a tree`() async throws {
        try await Scratch.with { scratch in
            let tree = CleanedTree(scratch)
            for path in Self.removed { try tree.plant(path) }
            try tree.plant("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
            try await tree.clean()
            #expect(tree.files() == ["/etc/machine-id"])
            #expect(try tree.text("/etc/machine-id") == "")
        }
    }

    @Test func `Identities are left as an instance makes its own`() async throws {
        try await Scratch.with { scratch in
            let tree = CleanedTree(scratch)
            try tree.plant("/var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n")
            try tree.plant("/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1993-08.org.debian:01:0123\n")
            try tree.plant("/usr/lib/systemd/systemd-resolved")
            try tree.plant("/etc/resolv.conf", "nameserver 192.0.2.1\n")
            try await tree.clean()
            let list = try await tree.tar(["--list", "--verbose", "--file=\(scratch.path.appending("out/tree.tar"))"])
            #expect(list.contains("./var/lib/dbus/machine-id -> /etc/machine-id"))
            #expect(list.contains("./etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf"))
            #expect(try tree.text("/etc/iscsi/initiatorname.iscsi") == "GenerateName=yes\n")
        }
    }

    @Test func `Logs stay, empty, with owner and mode`() async throws {
        try await Scratch.with { scratch in
            let tree = CleanedTree(scratch)
            try tree.plant("/var/log/apt/term.log", mode: 0o640)
            try tree.plant("/var/cache/debconf/passwords.dat", mode: 0o600)
            try await tree.clean()
            let list = try await tree.tar([
                "--list", "--verbose", "--numeric-owner", "--file=\(scratch.path.appending("out/tree.tar"))",
            ]).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            func row(_ path: String) -> [String]? { list.first { $0.last == path }.map { Array($0.prefix(3)) } }
            #expect(row("./var/log/apt/term.log") == ["-rw-r-----", "104/4", "0"])
            #expect(row("./var/cache/debconf/passwords.dat") == ["-rw-------", "104/4", "0"])
        }
    }

    @Test func `What is of the image stays, and links of the tree lead nowhere else`() async throws {
        try await Scratch.with { scratch in
            let tree = CleanedTree(scratch)
            let kept = [
                "/etc/ssh/sshd_config", "/etc/shadow", "/etc/apt/apt.conf.d/80own", "/home/admin/.ssh/authorized_keys",
                "/var/lib/dpkg/status", "/var/lib/cloud/seed/nocloud/meta-data", "/var/cache/debconf/config.dat",
            ]
            for path in kept { try tree.plant(path) }
            let outside = scratch.path.appending("outside")
            mkdir(outside.string, 0o777)
            try Scratch.write("theirs", outside.appending("file"))
            tree.link("/tmp", to: outside.string)
            tree.link("/var/crash", to: outside.string)
            try await tree.clean()
            #expect(Set(tree.files()).isSuperset(of: kept))
            for path in kept { #expect(try tree.text(path) == "planted") }
            #expect(Scratch.names(outside) == ["file"])
        }
    }

    /// `configure` removes the same where commands had secrets, before its result is kept.
    @Test func `A tree that is clean comes out as it went in`() async throws {
        try await Scratch.with { scratch in
            let tree = CleanedTree(scratch)
            for path in Self.removed + ["/var/log/syslog", "/etc/passwd"] { try tree.plant(path) }
            try await tree.clean()
            try await tree.clean(scratch.path.appending("out/tree.tar"), to: "again")
            let bytes = try ["out", "again"].map {
                Digest(of: try RepositoryFiles.bytes(scratch.path.appending("\($0)/tree.tar")))
            }
            #expect(bytes[0] == bytes[1])
        }
    }

    @Test func `A secret in a history is gone, and one elsewhere ends the step`() async throws {
        let secret = SecretValue(name: "token", value: "correct horse battery")
        try await Scratch.with { scratch in
            let tree = CleanedTree(scratch)
            try tree.plant("/root/.bash_history", "login --token '\(secret.value)'\n")
            try tree.plant("/var/log/login.log", secret.value)
            try await tree.clean(secrets: [secret])
            #expect(tree.files() == ["/etc/machine-id", "/var/log/login.log"])
        }
        try await Scratch.with { scratch in
            let tree = CleanedTree(scratch)
            try tree.plant("/etc/login.conf", "token = Y29ycmVjdCBob3JzZSBiYXR0ZXJ5\n")
            let error = await #expect(throws: FactoryError.self) { try await tree.clean(secrets: [secret]) }
            #expect(error?.message == "the tree has the secret 'token' in it")
            #expect(error?.remedy?.contains("/run/secrets/token") == true)
        }
    }
}
