import Glibc
import Model
import SystemPackage
import Tooling

/// The changes to a tree, in this order: system settings, users, files, commands. Then the tree is packed.
package struct ConfigureInside: Codable, Sendable {
    var action: ConfigureAction
    /// Where the tree is unpacked.
    var trees: String

    func run(runner: any CommandRunning, log: @escaping @Sendable (String) -> Void) async throws {
        let path = try await TreeArchive.unpack("/mnt/tree.tar", in: trees, runner: runner)
        let tree = try TreeRoot(path)
        for name in ["/dev", "/proc", "/sys", "/run"] { try tree.makeFolder(name) }
        let commands = TreeCommands(tree: path, epoch: action.epoch, runner: runner, log: log)
        try commands.mount()
        try await SystemSettings(action: action, tree: tree, commands: commands).apply()
        try await addUsers(tree, commands)
        try addFiles(tree)
        let secrets = try SecretFile.read(action.secrets)
        try commands.offer(secrets)
        try await runCommands(commands)
        try await writePackageList(tree, commands)
        commands.unmount()
        // What commands tell logs and histories of a secret goes with them, before this tree is kept in the store.
        if !secrets.isEmpty { try BuildTraces(tree: tree).remove() }
        log("packing the tree")
        try await TreeArchive.create("/mnt/out/tree.tar", from: path, epoch: action.epoch, runner: runner)
        // Here, where their values are those that the commands had: a tree that is reused is known to be without them.
        try TreeSecrets.refuse(secrets, in: "/mnt/out/tree.tar")
    }

    private func addUsers(_ tree: TreeRoot, _ commands: TreeCommands) async throws {
        for user in action.users {
            var arguments = ["--shell", user.shell, "--comment", user.comment]
            if let uid = user.uid { arguments += ["--uid", "\(uid)"] }
            if !user.groups.isEmpty { arguments += ["--groups", user.groups.joined(separator: ",")] }
            let existing = try AccountFiles(tree).account(user.name) != nil
            if !existing { arguments.append("--create-home") }
            try await commands.run(
                existing ? "/usr/sbin/usermod" : "/usr/sbin/useradd", arguments + ["--", user.name],
                activity: "adding the user \(user.name)", remedy: "check its groups, its uid and its shell")
            try AccountFiles.setPassword(user.passwordHash ?? "!", of: user.name, in: tree)
            guard let account = try AccountFiles(tree).account(user.name) else { continue }
            if !user.sshKeys.isEmpty {
                try tree.makeFolder(account.home + "/.ssh", mode: 0o700, user: account.uid, group: account.gid)
                try tree.write(
                    Array((user.sshKeys.joined(separator: "\n") + "\n").utf8),
                    to: account.home + "/.ssh/authorized_keys", mode: 0o600, user: account.uid, group: account.gid)
            }
            if !user.sudo.isEmpty {
                let rules = user.sudo.map { "\(user.name) \($0)\n" }.joined()
                // sudo ignores files with a dot in their name.
                let name = String(user.name.map { $0 == "." ? "_" : $0 })
                try tree.write(rules, to: "/etc/sudoers.d/90-\(name)", mode: 0o440)
            }
        }
    }

    private func addFiles(_ tree: TreeRoot) throws {
        for file in action.files {
            let accounts = try AccountFiles(tree)
            let bytes: [UInt8]
            if let digest = file.local {
                bytes = try WholeFile.bytes(FilePath("/mnt/files/\(digest.hex)"))
                guard Digest(of: bytes) == digest else {
                    throw FactoryError(
                        .missingInput, "the local file for \(file.path) changed during the build",
                        remedy: "run the build again")
                }
            } else {
                bytes = Array((file.inline ?? "").utf8)
            }
            try tree.write(
                bytes, to: file.path, mode: mode_t(file.mode), user: try accounts.user(file.owner),
                group: try accounts.group(file.group))
        }
    }

    private func runCommands(_ commands: TreeCommands) async throws {
        for command in action.commands where command.moment == .build {
            let line = String(command.run.split(separator: "\n").first ?? "")
            commands.log("+ \(line)")
            try await commands.run(
                "/bin/sh", ["-e", "-c", command.run], called: "the command '\(line)'",
                activity: "running a command of the definition",
                remedy: "see the log; commands run in the tree without network")
        }
    }

    private func writePackageList(_ tree: TreeRoot, _ commands: TreeCommands) async throws {
        let result = try await commands.run(
            "/usr/bin/dpkg-query", ["-W", "-f", PackageFacts.format], activity: "listing the packages", isLogged: false)
        guard !result.standardOutputIsTruncated else {
            throw FactoryError(.failed, "the list of packages is too long", remedy: "install fewer packages")
        }
        var packages = try PackageFacts.parse(result.text)
        for at in packages.indices {
            packages[at].licenses = try CopyrightFile.licenses(of: packages[at].name, in: tree)
        }
        try WholeFile.write(try Canonical.text(packages), "/mnt/out/packages.json")
    }
}
