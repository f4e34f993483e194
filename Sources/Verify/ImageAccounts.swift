import Filesystems

/// passwd(5), group(5) and shadow(5) of an image, as far as they can be read.
struct ImageAccounts {
    struct User {
        var name: String
        var password: String
        var uid: UInt32
        var gid: UInt32
        var home: String
    }

    let users: [User]
    let groups: [(name: String, password: String, gid: UInt32)]
    let passwords: [(name: String, hash: String)]
    /// Of root and of everybody in passwd, and what else is below /home.
    let homes: [BytePath]

    init(_ image: Inspection) {
        users = Self.rows("/etc/passwd", image).compactMap { fields in
            guard fields.count >= 7, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], password: fields[1], uid: uid, gid: gid, home: fields[5])
        }
        groups = Self.rows("/etc/group", image).compactMap { fields in
            guard fields.count >= 3, let gid = UInt32(fields[2]) else { return nil }
            return (fields[0], fields[1], gid)
        }
        passwords = Self.rows("/etc/shadow", image).compactMap { $0.count >= 2 ? ($0[0], $0[1]) : nil }
        var homes: [BytePath] = ["/root"]
        // Services have the root folder and the like as their home: nothing there is a person's.
        let own = users.filter { $0.uid == 0 || (1000..<60000).contains($0.uid) }.map { BytePath($0.home) }
        for home in own + image.tree.list("/home").map(\.path) where !home.names.isEmpty && !homes.contains(home) {
            homes.append(home)
        }
        self.homes = homes
    }

    private static func rows(_ path: BytePath, _ image: Inspection) -> [[String]] {
        (image.tree.bytes(path) ?? []).split(separator: 0x0a).map { line in
            line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

extension Inspection {
    /// Nodes by a pattern relative to every home.
    func inHomes(_ pattern: String) -> [ImageTree.Node] {
        accounts.homes.flatMap { tree.match("\($0)/" + pattern) }.filter { !isDeclared($0.path) }
    }
}
