import Filesystems
import Model

/// Who can log in, and how.
enum AccountRules {
    static let rules = [
        passwords, users, backups, authorizedKeys, sshFolders, sshServer, sudo, histories,
    ]

    private static let passwords = Rule(
        "H-06", "No account has an empty, an undeclared or a well-known password; root's is locked.",
        reason: "Images with a known password are taken over within minutes (CVE-2024-9486, CVE-2019-5021).",
        hint: "lock it (passwd -l USER), or declare password_hash of the user in the definition",
        checks: [
            Check("shadow") { image in
                image.accounts.passwords.filter { $0.hash.isEmpty }.map {
                    Observation("/etc/shadow", "the account '\(shown($0.name))' has an empty password")
                }
            },
            Check("shadow") { image in
                image.accounts.passwords.filter { isUsable($0.hash) && !isDeclared($0.hash, of: $0.name, image) }.map {
                    Observation(
                        "/etc/shadow", "the account '\(shown($0.name))' has a password that is not declared",
                        evidence: Array($0.hash.utf8))
                }
            },
            Check("shadow") { image in
                image.accounts.passwords.filter { isUsable($0.hash) && KnownPasswords.has($0.hash, of: $0.name) }.map {
                    Observation(
                        "/etc/shadow", "the password of '\(shown($0.name))' is one that everybody knows",
                        evidence: Array($0.hash.utf8))
                }
            },
            Check("passwd") { image in
                image.accounts.users.filter { !["x", "*"].contains($0.password) && !$0.password.hasPrefix("!") }.map {
                    Observation(
                        "/etc/passwd", "the account '\(shown($0.name))' has its password in passwd",
                        evidence: Array($0.password.utf8))
                }
            },
        ])

    private static func isUsable(_ hash: String) -> Bool {
        !hash.isEmpty && !hash.hasPrefix("!") && !hash.hasPrefix("*")
    }

    private static func isDeclared(_ hash: String, of user: String, _ image: Inspection) -> Bool {
        image.policy.users.contains { $0.name == user && $0.passwordHash == hash }
    }

    static func shown(_ name: String) -> String { BytePath.text(name.utf8.prefix(64)) }

    static let buildUsers: Set<String> = ["packer", "builder", "image-factory", "vagrant"]

    private static let users = Rule(
        "H-07", "Only root has the number 0, and no user of a builder is left.",
        reason: "A second root or a builder's account is a way in that nobody looks after.",
        hint: "remove it: userdel --remove USER; with its lines in sudoers.d and subuid",
        checks: [
            Check("passwd") { image in
                image.accounts.users.filter { $0.uid == 0 && $0.name != "root" }.map {
                    Observation("/etc/passwd", "the account '\(shown($0.name))' has the number 0")
                }
            },
            Check("passwd") { image in
                let declared = Set(image.policy.users.map(\.name))
                let names = buildUsers.subtracting(declared)
                let accounts = image.accounts.users.map(\.name) + image.accounts.groups.map(\.name)
                return Set(accounts).intersection(names).sorted().map {
                    Observation("/etc/passwd", "the build account '\($0)' is there")
                }
            },
            .lines("/etc/{subuid,subgid}", "/etc/sudoers.d/*") { line, image in
                let name = String(line.prefix { $0 != ":" && !$0.isWhitespace })
                let declared = image.policy.users.contains { $0.name == name }
                return buildUsers.contains(name) && !declared ? "it speaks of the build account '\(name)'" : nil
            },
        ])

    private static let backups = Rule(
        "H-08", "There are no old versions of the account files.",
        reason: "They hold passwords and accounts that the new ones no longer have.",
        hint: "remove them",
        checks: [
            .absent("/etc/{passwd,shadow,group,gshadow,subuid,subgid}-"),
            .absent("/etc/.pwd.lock", verdict: .warning),
        ])

    private static let authorizedKeys = Rule(
        "H-09", "Only declared keys may log in by SSH.",
        reason: "A key that stays in the image opens every instance to its owner.",
        hint: "remove the key, or declare it under ssh_keys of the user",
        checks: [
            Check("keys") { image in
                let declared = Set(image.policy.users.flatMap(\.sshKeys).map(keyText))
                return (image.inHomes(".ssh/authorized_keys*") + named(image)).flatMap { node in
                    image.lines(node).filter { !declared.contains(keyText($0)) }.map {
                        Observation("\(node.path)", "it has a key that is not declared", evidence: Array($0.utf8))
                    }
                }
            }
        ])

    /// The kind and the key itself: neither options before it nor the comment behind.
    private static func keyText(_ line: String) -> String {
        let words = Lines.words(line)
        guard
            let at = words.firstIndex(where: { $0.hasPrefix("ssh-") || $0.hasPrefix("ecdsa-") || $0.hasPrefix("sk-") })
        else { return line }
        return words[at...].prefix(2).joined(separator: " ")
    }

    /// Files that the server's AuthorizedKeysFile names outside of the homes.
    private static func named(_ image: Inspection) -> [ImageTree.Node] {
        serverLines(image).filter { $0.key == "authorizedkeysfile" }.flatMap(\.values).filter { $0.hasPrefix("/") }
            .flatMap { pattern -> [ImageTree.Node] in
                var path = ""
                var rest = Substring(pattern)
                while let at = rest.firstIndex(of: "%") {
                    path += rest[..<at] + "*"
                    rest = rest[at...].dropFirst(2)
                }
                return image.tree.match(path + rest)
            }.filter { !image.isDeclared($0.path) }
    }

    private static let sshFolders = Rule(
        "H-10", "No .ssh folder has private keys or known hosts.",
        reason: "They are the builder's: a private key opens other machines, known hosts name them.",
        hint: "remove them",
        checks: [
            Check("absent") { image in
                image.inHomes(".ssh/known_hosts*").map { Observation("\($0.path)", "it is there") }
            },
            Check("content") { image in
                image.inHomes(".ssh/*").compactMap { node in
                    guard let bytes = image.tree.bytes(node, limit: 1 << 20), PrivateKey.isIn(bytes) else { return nil }
                    return Observation("\(node.path)", "it has a private key", evidence: bytes)
                }
            },
        ])

    private static let sshServer = Rule(
        "H-11", "The SSH server lets nobody in without a password, and root by a key only.",
        reason: "Passwords of root are what attackers try first.",
        hint: "set PermitEmptyPasswords no and PermitRootLogin prohibit-password",
        checks: [
            Check("content") { image in
                serverLines(image).filter { $0.key == "permitemptypasswords" && $0.values.first == "yes" }.map {
                    Observation($0.path, "it permits empty passwords")
                }
            },
            Check("content") { image in
                let lines = serverLines(image)
                // The first value counts, except that a Match block gives a second one.
                let password = lines.first { $0.key == "passwordauthentication" }?.values.first ?? "yes"
                guard password != "no" else { return [] }
                return lines.filter { $0.key == "permitrootlogin" && $0.values.first == "yes" }.map {
                    Observation($0.path, "root may log in by password")
                }
            },
        ])

    /// The settings of sshd_config(5) in the order in which the server reads them, keys in lower case.
    private static func serverLines(_ image: Inspection) -> [(path: String, key: String, values: [String])] {
        image.tree.match("/etc/ssh/{sshd_config.d/*.conf,sshd_config}").flatMap { node in
            image.lines(node).compactMap { line in
                let words = line.split { $0.isWhitespace || $0 == "=" || $0 == "\"" }.map(String.init)
                guard let key = words.first else { return nil }
                return (
                    "\(node.path)", key.lowercased(), words.dropFirst().map { $0.hasPrefix("/") ? $0 : $0.lowercased() }
                )
            }
        }
    }

    private static let sudo = Rule(
        "H-12", "Only declared rules of sudo need no password, and its files have mode 0440.",
        verdict: .warning,
        reason: "Whoever runs as that user is root.",
        hint: "remove the rule, or declare it under sudo of the user",
        checks: [
            .lines("/etc/sudoers", "/etc/sudoers.d/*") { line, image in
                let declared = image.policy.users.flatMap { user in user.sudo.map { "\(user.name) \($0)" } }
                return line.contains("NOPASSWD") && !declared.contains(line) ? "it has a rule without password" : nil
            },
            Check("mode") { image in
                image.tree.match("/etc/{sudoers,sudoers.d/*}").filter {
                    $0.status.kind == .file && $0.status.permissions & ~0o440 != 0 && !image.isDeclared($0.path)
                }.map { Observation("\($0.path)", "it has the mode \(octal($0.status.permissions))") }
            },
        ])

    static func octal(_ mode: UInt16) -> String { "0" + String(mode, radix: 8) }

    private static let histories = Rule(
        "H-13", "There are no histories of shells and other programs.",
        reason: "They hold what was typed, passwords too.",
        hint: "remove them",
        checks: [
            Check("empty") { image in
                let names = [
                    ".*history",
                    ".{viminfo,lesshst,wget-hsts,python_history,mysql_history,psql_history,sqlite_history}",
                ]
                return Set(names.flatMap(image.inHomes)).filter { $0.status.kind != .file || $0.status.size > 0 }
                    .sorted { $0.path < $1.path }.map { Observation("\($0.path)", "it is there") }
            }
        ])
}
