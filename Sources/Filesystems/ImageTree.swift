/// The tree of a filesystem, read once and then asked by paths. Links are resolved inside the image only: an absolute
/// one starts at the image's root, `..` ends there.
package final class ImageTree {
    /// One file by one of its names.
    package struct Node: Hashable, Sendable {
        package var path: BytePath
        package var inode: UInt32
        package var status: Ext4Status
    }

    package let filesystem: Ext4Filesystem
    /// Every name in the tree, folders before what is in them, the root first.
    package private(set) var nodes: [Node] = []
    /// What could not be read, or is not a tree: one line each.
    package private(set) var problems: [String] = []
    private var children: [UInt32: [[UInt8]: Int]] = [:]

    /// Links that one path may lead through.
    private static let mostLinks = 40
    private static let deepest = 256
    private static let mostNodes = 2_000_000
    private static let mostProblems = 100

    package init(_ filesystem: Ext4Filesystem) throws(Ext4.Failure) {
        self.filesystem = filesystem
        let root = try filesystem.status(Ext4Filesystem.rootInode)
        nodes = [Node(path: BytePath([]), inode: Ext4Filesystem.rootInode, status: root)]
        var next = 0
        while next < nodes.count {
            let node = nodes[next]
            next += 1
            if node.status.kind == .folder { readFolder(node) }
        }
    }

    private func readFolder(_ folder: Node) {
        guard folder.path.names.count < Self.deepest else {
            return problem("\(BytePath.text(folder.path.last)): folders are nested too deeply")
        }
        guard children[folder.inode] == nil else {
            return problem("\(folder.path): the folder is there under two names")
        }
        children[folder.inode] = [:]
        do {
            let room = Self.mostNodes - nodes.count
            for entry in try filesystem.entries(of: folder.inode, limit: room) {
                add(entry, to: folder)
            }
        } catch {
            problem("\(folder.path): \(error.reason)")
        }
    }

    private func add(_ entry: Ext4Entry, to folder: Node) {
        let path = folder.path.appending(entry.name)
        guard !entry.name.contains(UInt8(ascii: "/")), !entry.name.contains(0) else {
            return problem("\(path): a name that no file can have")
        }
        do {
            let status = try filesystem.status(entry.inode)
            if status.kind == .unknown || status.links == 0 { problem("\(path): it leads to no file") }
            if children[folder.inode]?.updateValue(nodes.count, forKey: entry.name) != nil {
                problem("\(path): the name is there twice")
            }
            nodes.append(Node(path: path, inode: entry.inode, status: status))
        } catch {
            problem("\(path): \(error.reason)")
        }
    }

    private func problem(_ line: String) {
        if problems.count < Self.mostProblems { problems.append(line) }
    }

    /// What a path leads to, nil if nothing. With `following: false` a link at its end is what is returned.
    package func find(_ path: BytePath, following: Bool = true) -> Node? {
        var waiting: [[UInt8]] = path.names.reversed()
        var place = [0]
        var links = 0
        while let name = waiting.popLast() {
            if name == Array(".".utf8) || name.isEmpty { continue }
            if name == Array("..".utf8) {
                if place.count > 1 { place.removeLast() }
                continue
            }
            guard let at = place.last, nodes[at].status.kind == .folder,
                let child = children[nodes[at].inode]?[name]
            else { return nil }
            guard nodes[child].status.kind == .link, following || !waiting.isEmpty else {
                place.append(child)
                continue
            }
            links += 1
            guard links <= Self.mostLinks, let target = try? filesystem.link(nodes[child].inode), !target.isEmpty else {
                return nil
            }
            if target.first == UInt8(ascii: "/") { place = [0] }
            waiting += target.split(separator: UInt8(ascii: "/")).map { Array($0) }.reversed()
        }
        return place.last.map { nodes[$0] }
    }

    /// The nodes in a folder, by name; empty if the path leads to none.
    package func list(_ path: BytePath) -> [Node] {
        guard let folder = find(path), folder.status.kind == .folder else { return [] }
        return (children[folder.inode] ?? [:]).values.map { nodes[$0] }.sorted { $0.path < $1.path }
    }

    /// The nodes that a pattern names: `*` and `?` within a name, `{a,b}` for either, `**` as a name for everything
    /// below. A link at the end is not followed, links on the way are.
    package func match(_ pattern: String) -> [Node] {
        var found: [Node] = []
        var seen: Set<BytePath> = []
        for plain in PathPattern.alternatives(pattern) {
            var places = [BytePath([])]
            let names = BytePath(plain).names
            for (at, name) in names.enumerated() {
                if name == Array("**".utf8) {
                    found += places.flatMap(everything(below:)).filter { seen.insert($0.path).inserted }
                    places = []
                } else if PathPattern.isPlain(name) {
                    places = places.map { $0.appending(name) }
                } else {
                    places = places.flatMap { place in
                        list(place).filter { PathPattern.matches($0.path.last, name) }.map(\.path)
                    }
                }
                if at == names.count - 1 {
                    found += places.compactMap { find($0, following: false) }.filter { seen.insert($0.path).inserted }
                }
            }
        }
        return found
    }

    private func everything(below path: BytePath) -> [Node] {
        guard let folder = find(path), folder.status.kind == .folder else { return [] }
        var found: [Node] = []
        var waiting = [folder]
        while let next = waiting.popLast() {
            let inner = (children[next.inode] ?? [:]).values.map { nodes[$0] }.sorted { $0.path < $1.path }
            found += inner
            // A folder under two names has its content under the first one only.
            waiting += inner.filter { $0.status.kind == .folder && $0.path.parent == next.path }
        }
        return found
    }

    /// The beginning of a regular file; nil if it is none or cannot be read.
    package func bytes(_ node: Node, limit: Int = 16 << 20) -> [UInt8]? {
        guard node.status.kind == .file else { return nil }
        return try? filesystem.read(node.inode, limit: limit)
    }

    /// The beginning of the regular file that a path leads to.
    package func bytes(_ path: BytePath, limit: Int = 16 << 20) -> [UInt8]? {
        find(path).flatMap { bytes($0, limit: limit) }
    }
}

/// Patterns of paths, byte by byte.
package enum PathPattern {
    /// The patterns without braces that one with braces stands for.
    package static func alternatives(_ pattern: String) -> [String] {
        guard let open = pattern.firstIndex(of: "{"), let close = pattern[open...].firstIndex(of: "}") else {
            return [pattern]
        }
        let before = pattern[..<open]
        let after = pattern[pattern.index(after: close)...]
        return pattern[pattern.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false)
            .flatMap { alternatives("\(before)\($0)\(after)") }
    }

    static func isPlain(_ name: [UInt8]) -> Bool {
        !name.contains(UInt8(ascii: "*")) && !name.contains(UInt8(ascii: "?"))
    }

    /// In the time of both lengths' product: a star is tried again from one place only, the last.
    static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (at, want) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while at < name.count {
            if want < pattern.count, pattern[want] == UInt8(ascii: "*") {
                star = (want, at)
                want += 1
            } else if want < pattern.count, pattern[want] == UInt8(ascii: "?") || pattern[want] == name[at] {
                at += 1
                want += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                at = last.name + 1
                want = last.pattern + 1
            } else {
                return false
            }
        }
        return pattern[want...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
