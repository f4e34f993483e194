import Glibc
import Model

/// The tree's own users and groups (passwd(5), group(5), shadow(5)).
struct AccountFiles {
    private let users: [String: (uid: uid_t, gid: gid_t, home: String)]
    private let groups: [String: gid_t]

    init(_ tree: TreeRoot) throws {
        var users: [String: (uid: uid_t, gid: gid_t, home: String)] = [:]
        for fields in Self.rows(try tree.text("/etc/passwd") ?? "") where fields.count >= 7 {
            if let uid = uid_t(fields[2]), let gid = gid_t(fields[3]) { users[fields[0]] = (uid, gid, fields[5]) }
        }
        var groups: [String: gid_t] = [:]
        for fields in Self.rows(try tree.text("/etc/group") ?? "") where fields.count >= 3 {
            if let gid = gid_t(fields[2]) { groups[fields[0]] = gid }
        }
        self.users = users
        self.groups = groups
    }

    func user(_ name: String) throws -> uid_t {
        if let uid = users[name]?.uid ?? uid_t(name) { return uid }
        throw FactoryError(
            .definition, "the image has no user '\(name)'", remedy: "add it to users:, or name one that is there")
    }

    func group(_ name: String) throws -> gid_t {
        if let gid = groups[name] ?? gid_t(name) { return gid }
        throw FactoryError(.definition, "the image has no group '\(name)'", remedy: "name a group that is there")
    }

    func account(_ name: String) -> (uid: uid_t, gid: gid_t, home: String)? { users[name] }

    private static func rows(_ text: String) -> [[String]] {
        text.split(separator: "\n").map { line in
            line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Sets the second field of a user's line in /etc/shadow.
    static func setPassword(_ hash: String, of user: String, in tree: TreeRoot) throws {
        let lines = try (tree.text("/etc/shadow") ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        let changed = lines.map { line -> String in
            var fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count > 1, fields[0] == user else { return String(line) }
            fields[1] = hash
            return fields.joined(separator: ":")
        }
        try tree.rewrite(changed.joined(separator: "\n"), "/etc/shadow")
    }
}
