import CExt2
package import SystemPackage

/// Changes a filesystem of the ext family inside a disk file, without mounting it. Paths are bytes, and links are
/// resolved inside the image only, so nothing outside of it can change whatever it holds.
///
/// What is read comes from the disk when it is asked for: a few edits do not read the whole tree. Nothing is trusted:
/// folders with two names, names that lead to no file and the like throw `Ext4.Failure` rather than being followed. After
/// a failure the file is of no use.
package final class Ext4Editor {
    /// A file by one of its names.
    package struct Place: Hashable, Sendable {
        /// Without links on the way.
        package var path: BytePath
        package var inode: UInt32
        package var status: Ext4Status
        /// The inodes of the folders that it is in, the root first; none for the root.
        var folders: [UInt32]

        /// Whether its name is one of a pattern with `*` and `?`.
        package func isNamed(_ pattern: String) -> Bool { PathPattern.matches(path.last, Array(pattern.utf8)) }
    }

    package let filesystem: Ext4Filesystem
    private var known: [UInt32: [[UInt8]: UInt32]] = [:]

    private static let mostLinks = 40
    private static let deepest = 256
    private static let mostEntries = 1 << 20

    /// Opens the filesystem that begins `offset` bytes into the file, for reading and writing. Throws the name of what
    /// it has that cannot be kept right.
    package init(_ disk: FilePath, offset: UInt64) throws(Ext4.Failure) {
        var opened: OpaquePointer?
        var obstacle: UnsafePointer<CChar>?
        let code = cext2_open_for_editing(disk.string, offset, &opened, &obstacle)
        if let obstacle {
            throw Ext4.Failure(reason: "it cannot be edited without mounting it: it has \(String(cString: obstacle))")
        }
        try Ext4Filesystem.check(code)
        guard let opened else { throw Ext4.Failure(reason: "it could not be opened") }
        filesystem = Ext4Filesystem(adopting: opened)
    }

    /// For finding and reading by paths only: what would change something throws.
    package init(reading filesystem: Ext4Filesystem) { self.filesystem = filesystem }

    /// Writes what is still in memory. Where and how often the filesystem was mounted is forgotten: an image is to look
    /// as if it never was.
    package func flush() throws(Ext4.Failure) { try Ext4Filesystem.check(cext2_flush(filesystem.handle)) }

    /// Whether users have counted what they have: e2fsck has to correct that after a change.
    package var hasQuota: Bool { cext2_has_quota(filesystem.handle) != 0 }

    /// What a path leads to, nil if nothing. With `following: false` a link at its end is what is returned.
    package func find(_ path: BytePath, following: Bool = true) throws(Ext4.Failure) -> Place? {
        var waiting: [[UInt8]] = path.names.reversed()
        let root = try place(BytePath([]), Ext4Filesystem.rootInode, [])
        var way = [root]
        var links = 0
        while let name = waiting.popLast() {
            if name.isEmpty || name == Array(".".utf8) { continue }
            if name == Array("..".utf8) {
                if way.count > 1 { way.removeLast() }
                continue
            }
            guard let folder = way.last, way.count < Self.deepest, let child = try child(name, of: folder) else {
                return nil
            }
            guard child.status.kind == .link, following || !waiting.isEmpty else {
                way.append(child)
                continue
            }
            links += 1
            let target = try filesystem.link(child.inode)
            guard links <= Self.mostLinks, !target.isEmpty else { return nil }
            if target.first == UInt8(ascii: "/") { way = [root] }
            waiting += target.split(separator: UInt8(ascii: "/")).map { Array($0) }.reversed()
        }
        return way.last
    }

    /// What is in a folder, by name; nothing if it is none.
    package func list(_ folder: Place) throws(Ext4.Failure) -> [Place] {
        guard folder.status.kind == .folder else { return [] }
        var found: [Place] = []
        for (name, inode) in try entries(folder.inode).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            found.append(try place(folder.path.appending(name), inode, folder.folders + [folder.inode]))
        }
        return found
    }

    /// What a pattern names: `*` and `?` within a name, `{a,b}` for either, `**` as the last name for everything below.
    /// Links on the way are followed, those at the end are not. Each file once for each of its names.
    package func match(_ pattern: String) throws(Ext4.Failure) -> [Place] {
        var found: [BytePath: Place] = [:]
        for plain in PathPattern.alternatives(pattern) {
            for place in try matchPlain(BytePath(plain).names) { found[place.path] = place }
        }
        return found.values.sorted { $0.path < $1.path }
    }

    private func matchPlain(_ names: [[UInt8]]) throws(Ext4.Failure) -> [Place] {
        guard let last = names.last else { return [] }
        var folders = [BytePath([])]
        for name in names.dropLast() {
            guard !PathPattern.isPlain(name) else {
                folders = folders.map { $0.appending(name) }
                continue
            }
            var next: [BytePath] = []
            for path in folders {
                guard let folder = try find(path) else { continue }
                next += try list(folder).filter { PathPattern.matches($0.path.last, name) }.map(\.path)
            }
            folders = next
        }
        var found: [Place] = []
        for path in folders {
            if PathPattern.isPlain(last) {
                if let place = try find(path.appending(last), following: false) { found.append(place) }
            } else if let folder = try find(path) {
                found +=
                    last == Array("**".utf8)
                    ? try everything(below: folder)
                    : try list(folder).filter { PathPattern.matches($0.path.last, last) }
            }
        }
        return found
    }

    /// Everything below a folder, folders before what is in them.
    package func everything(below folder: Place) throws(Ext4.Failure) -> [Place] {
        var found: [Place] = []
        var waiting = [folder]
        var seen = Set(folder.folders + [folder.inode])
        while let next = waiting.popLast() {
            guard next.folders.count < Self.deepest else { throw Ext4.Failure(reason: "folders are nested too deeply") }
            for inner in try list(next) {
                found.append(inner)
                guard inner.status.kind == .folder else { continue }
                try requireOnlyName(inner.inode, in: next.inode, &seen)
                waiting.append(inner)
            }
        }
        return found
    }

    /// The beginning of a regular file, nothing of anything else.
    package func bytes(_ place: Place, limit: Int = 16 << 20) throws(Ext4.Failure) -> [UInt8] {
        place.status.kind == .file ? try filesystem.read(place.inode, limit: limit) : []
    }

    /// Removes a name, and with the last name of a file its content; a folder with all that is in it. A link is
    /// removed, never what it leads to.
    package func remove(_ place: Place) throws(Ext4.Failure) {
        guard let folder = place.folders.last else { throw Ext4.Failure(reason: "the root cannot be removed") }
        if place.status.kind == .folder {
            var seen = Set(place.folders)
            try requireOnlyName(place.inode, in: folder, &seen)
            _ = try releaseContent(of: place.inode, &seen)
        }
        try Ext4Filesystem.check(cext2_unlink(filesystem.handle, folder, place.path.last, place.path.last.count))
        known[folder]?[place.path.last] = nil
        try release(place.inode)
        if place.status.kind == .folder { try Ext4Filesystem.check(cext2_lose_folders(filesystem.handle, folder, 1)) }
    }

    /// Removes all that is in a folder.
    package func empty(_ folder: Place) throws(Ext4.Failure) {
        guard folder.status.kind == .folder, try !entries(folder.inode).isEmpty else { return }
        var seen = Set(folder.folders + [folder.inode])
        let folders = try releaseContent(of: folder.inode, &seen)
        try Ext4Filesystem.check(cext2_unlink_all(filesystem.handle, folder.inode))
        known[folder.inode] = nil
        try Ext4Filesystem.check(cext2_lose_folders(filesystem.handle, folder.inode, folders))
    }

    /// Makes a regular file empty; owner, mode and attributes stay.
    package func truncate(_ file: Place) throws(Ext4.Failure) {
        guard file.status.kind == .file else { throw Ext4.Failure(reason: "\(file.path) is no regular file") }
        guard file.status.size > 0 else { return }
        try Ext4Filesystem.check(cext2_replace(filesystem.handle, file.inode, nil, 0))
    }

    /// Gives a regular file other content; owner, mode and attributes stay. Where there is none it is made, of root, with
    /// these permissions; a link that leads nowhere gives way to it.
    package func write(_ bytes: [UInt8], to path: BytePath, permissions: UInt16 = 0o644) throws(Ext4.Failure) {
        if let file = try find(path) {
            guard file.status.kind == .file else { throw Ext4.Failure(reason: "\(path) is no regular file") }
            try Ext4Filesystem.check(cext2_replace(filesystem.handle, file.inode, bytes, bytes.count))
            return
        }
        let (folder, name) = try clear(path)
        var inode: UInt32 = 0
        try Ext4Filesystem.check(cext2_create(filesystem.handle, folder.inode, name, permissions, &inode))
        known[folder.inode] = nil
        if !bytes.isEmpty { try Ext4Filesystem.check(cext2_replace(filesystem.handle, inode, bytes, bytes.count)) }
    }

    /// Makes a folder of root where there is none; those above it have to be there.
    package func makeFolder(_ path: BytePath, permissions: UInt16 = 0o755) throws(Ext4.Failure) {
        if let folder = try find(path), folder.status.kind == .folder { return }
        let (folder, name) = try clear(path)
        var inode: UInt32 = 0
        try Ext4Filesystem.check(cext2_make_folder(filesystem.handle, folder.inode, name, permissions, &inode))
        known[folder.inode] = nil
    }

    /// Makes a symbolic link, in the place of a file or of another link.
    package func link(_ path: BytePath, to target: String) throws(Ext4.Failure) {
        let (folder, name) = try clear(path)
        try Ext4Filesystem.check(cext2_make_link(filesystem.handle, folder.inode, name, target))
        known[folder.inode] = nil
    }

    /// Removes what is not a folder from a place, and returns the folder and the name.
    private func clear(_ path: BytePath) throws(Ext4.Failure) -> (Place, [CChar]) {
        guard let folder = try find(path.parent), folder.status.kind == .folder, !path.last.isEmpty else {
            throw Ext4.Failure(reason: "\(path.parent) is no folder")
        }
        if let old = try child(path.last, of: folder) {
            guard old.status.kind != .folder else { throw Ext4.Failure(reason: "\(path) is a folder") }
            try remove(old)
        }
        return (folder, path.last.map { CChar(bitPattern: $0) } + [0])
    }

    // MARK: - What is in folders

    private func place(_ path: BytePath, _ inode: UInt32, _ folders: [UInt32]) throws(Ext4.Failure) -> Place {
        Place(path: path, inode: inode, status: try filesystem.status(inode), folders: folders)
    }

    private func child(_ name: [UInt8], of folder: Place) throws(Ext4.Failure) -> Place? {
        guard folder.status.kind == .folder, let inode = try entries(folder.inode)[name] else { return nil }
        return try place(folder.path.appending(name), inode, folder.folders + [folder.inode])
    }

    private func entries(_ folder: UInt32) throws(Ext4.Failure) -> [[UInt8]: UInt32] {
        if let entries = known[folder] { return entries }
        var found: [[UInt8]: UInt32] = [:]
        for entry in try filesystem.entries(of: folder, limit: Self.mostEntries) {
            guard !entry.name.isEmpty, !entry.name.contains(UInt8(ascii: "/")), !entry.name.contains(0),
                found.updateValue(entry.inode, forKey: entry.name) == nil
            else { throw Ext4.Failure(reason: "the name '\(BytePath.text(entry.name))' cannot be, or is there twice") }
        }
        known[folder] = found
        return found
    }

    // MARK: - Removal

    private func release(_ inode: UInt32) throws(Ext4.Failure) {
        try Ext4Filesystem.check(cext2_release(filesystem.handle, inode))
    }

    /// Releases all that is below a folder but leaves its entries, which go with it. Returns the folders directly in it.
    private func releaseContent(of folder: UInt32, _ seen: inout Set<UInt32>) throws(Ext4.Failure) -> UInt32 {
        var waiting = [folder]
        var first: UInt32?
        while let next = waiting.popLast() {
            var folders: UInt32 = 0
            for (_, inode) in try entries(next).sorted(by: { $0.value < $1.value }) {
                guard try filesystem.status(inode).kind == .folder else {
                    try release(inode)
                    continue
                }
                try requireOnlyName(inode, in: next, &seen)
                folders += 1
                waiting.append(inode)
            }
            if first == nil { first = folders } else { try release(next) }
            known[next] = nil
        }
        return first ?? 0
    }

    /// A folder has one name, in the folder that it says: what is reached in another way would be removed from under
    /// somebody else.
    private func requireOnlyName(
        _ folder: UInt32, in parent: UInt32, _ seen: inout Set<UInt32>
    ) throws(Ext4.Failure) {
        var above: UInt32 = 0
        let dots = Array("..".utf8)
        try Ext4Filesystem.check(cext2_lookup(filesystem.handle, folder, dots, dots.count, &above))
        guard seen.insert(folder).inserted, above == parent else {
            throw Ext4.Failure(reason: "folder \(folder) is there under two names")
        }
    }
}
