/// A small ISO 9660 image of files in its root folder and folders below, with the names of Rock Ridge and of Joliet: what
/// cloud-init and installers read their seeds from.
///
///     sector 16    primary volume descriptor     sector 17   that of Joliet         sector 18   terminator
///     sector 19    path table, little-endian     sector 20   path table, big-endian
///     sector 21    Joliet's, little-endian       sector 22   Joliet's, big-endian
///     sector 23…   folders, the root first; "ER" of Rock Ridge; folders of Joliet; files
///
/// Sources: ECMA-119; IEEE P1281 (SUSP) and P1282 (Rock Ridge); the Joliet Specification. All times are 1970: the same
/// files are the same image.
package struct ISO9660Writer: Sendable {
    /// The two trees of folders, whose files are the same.
    private enum Tree {
        case primary
        case joliet
    }

    /// Where the records of a folder lie.
    private struct Extent {
        var start = 0
        var size = 0
    }

    private struct Folder {
        var name: String
        var parent: Int
        var folders: [Int] = []
        var files: [Int] = []
        var primary = Extent()
        var joliet = Extent()

        subscript(tree: Tree) -> Extent {
            get { tree == .primary ? primary : joliet }
            set { if tree == .primary { primary = newValue } else { joliet = newValue } }
        }
    }

    private struct File {
        var name: String
        var content: [UInt8]
        var start = 0
    }

    private static let sector = 2048
    private let label: String
    private var folders = [Folder(name: "", parent: 0)]
    private var files: [File] = []
    private var extensionSector = 0

    /// - Parameter label: of the volume, up to 32 characters of ASCII: `cidata`.
    package init(label: String) { self.label = label }

    /// Adds a file: `user-data`, `openstack/latest/meta_data.json`. Names have up to 100 bytes; a path is added once.
    /// Throws `FileAccessError` for what the image cannot hold.
    package mutating func add(_ path: String, _ content: [UInt8]) throws {
        let parts = path.split(separator: "/").map(String.init)
        guard let name = parts.last, parts.allSatisfy({ $0.utf8.count <= 100 && $0 != "." && $0 != ".." }),
            content.count <= 1 << 30
        else { throw FileAccessError("add '\(path)' to an image", "its name or its size is not one that fits") }
        var folder = 0
        for part in parts.dropLast() { folder = self.folder(part, in: folder) }
        guard !folders[folder].files.contains(where: { files[$0].name == name }) else {
            throw FileAccessError("add '\(path)' to an image", "it is there already")
        }
        folders[folder].files.append(files.count)
        files.append(File(name: name, content: content))
    }

    private mutating func folder(_ name: String, in parent: Int) -> Int {
        if let known = folders[parent].folders.first(where: { folders[$0].name == name }) { return known }
        folders.append(Folder(name: name, parent: parent))
        folders[parent].folders.append(folders.count - 1)
        return folders.count - 1
    }

    /// The complete image.
    package func bytes() -> [UInt8] {
        var image = self
        let end = image.place()
        var bytes = [UInt8](repeating: 0, count: 16 * Self.sector)
        bytes += image.volumeDescriptor(.primary, sectors: end) + image.volumeDescriptor(.joliet, sectors: end)
        bytes += Self.padded([255] + Array("CD001".utf8) + [1])
        for tree in [Tree.primary, .joliet] {
            bytes += Self.padded(image.pathTable(tree, isBig: false)) + Self.padded(image.pathTable(tree, isBig: true))
        }
        for index in image.folders.indices { bytes += Self.padded(image.records(.primary, of: index)) }
        bytes += Self.padded(Self.extensionReference)
        for index in image.folders.indices { bytes += Self.padded(image.records(.joliet, of: index)) }
        for file in image.files { bytes += Self.padded(file.content) }
        // Readers look ahead beyond the last file.
        return bytes + [UInt8](repeating: 0, count: 150 * Self.sector)
    }

    /// Gives everything its sector; returns the first one behind it all.
    private mutating func place() -> Int {
        var next = placeFolders(.primary, from: 23)
        extensionSector = next
        next = placeFolders(.joliet, from: next + 1)
        for index in files.indices {
            files[index].start = next
            next += Self.sectors(files[index].content.count)
        }
        return next + 150
    }

    private mutating func placeFolders(_ tree: Tree, from first: Int) -> Int {
        var next = first
        for index in folders.indices {
            // Where its parts lie does not change its size.
            folders[index][tree] = Extent(start: next, size: Self.padded(records(tree, of: index)).count)
            next += folders[index][tree].size / Self.sector
        }
        return next
    }

    private func volumeDescriptor(_ tree: Tree, sectors: Int) -> [UInt8] {
        let table = pathTable(tree, isBig: false).count
        let tables = tree == .primary ? 19 : 21
        let root = folders[0][tree]
        var bytes: [UInt8] = [tree == .primary ? 1 : 2] + Array("CD001".utf8) + [1, 0]
        bytes += Self.text("", 32, tree) + Self.text(label, 32, tree) + [UInt8](repeating: 0, count: 8)
        bytes += Self.both(sectors)
        // The escape sequence of UCS-2, level 3.
        bytes += (tree == .primary ? [] : [0x25, 0x2f, 0x45])
        bytes += [UInt8](repeating: 0, count: tree == .primary ? 32 : 29)
        bytes += Self.bothShort(1) + Self.bothShort(1) + Self.bothShort(Self.sector) + Self.both(table)
        bytes += Self.little(tables) + Self.little(0) + Self.big(tables + 1) + Self.big(0)
        bytes += record(name: [0], start: root.start, size: root.size, isFolder: true, use: [])
        for size in [128, 128, 128, 128, 37, 37, 37] { bytes += Self.text("", size, tree) }
        for _ in 0..<4 { bytes += Array("0000000000000000".utf8) + [0] }
        bytes += [1, 0]
        return Self.padded(bytes)
    }

    private func pathTable(_ tree: Tree, isBig: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, folder) in folders.enumerated() {
            let name = index == 0 ? [0] : self.name(tree, folder.name, index, isFolder: true)
            let parent = UInt16(truncatingIfNeeded: folder.parent + 1)
            let parentBytes = [UInt8(parent & 0xff), UInt8(parent >> 8)]
            let start = folder[tree].start
            bytes += [UInt8(name.count), 0] + (isBig ? Self.big(start) : Self.little(start))
            bytes += isBig ? parentBytes.reversed() : parentBytes
            bytes += name + [UInt8](repeating: 0, count: name.count % 2)
        }
        return bytes
    }

    private func records(_ tree: Tree, of index: Int) -> [UInt8] {
        let folder = folders[index]
        let parent = folders[folder.parent]
        let isPrimary = tree == .primary
        var own = Self.attributes(isFolder: true, links: 2 + folder.folders.count)
        if index == 0 {
            // "SP" says that System Use entries are there, "CE" where the one is that names Rock Ridge.
            own = Array("SP".utf8) + [7, 1, 0xbe, 0xef, 0] + own
            own +=
                Array("CE".utf8) + [28, 1] + Self.both(extensionSector) + Self.both(0)
                + Self.both(Self.extensionReference.count)
        }
        let above = Self.attributes(isFolder: true, links: 2)
        var records = [
            record(name: [0], folder[tree], use: isPrimary ? own : []),
            record(name: [1], parent[tree], use: isPrimary ? above : []),
        ]
        for child in sorted(tree, folder.folders, by: { folders[$0].name }) {
            let name = folders[child].name
            records.append(
                record(
                    name: self.name(tree, name, child, isFolder: true), folders[child][tree],
                    use: isPrimary ? above + Self.longName(name) : []))
        }
        for child in sorted(tree, folder.files, by: { files[$0].name }) {
            let file = files[child]
            records.append(
                record(
                    name: self.name(tree, file.name, child, isFolder: false), start: file.start,
                    size: file.content.count, isFolder: false,
                    use: isPrimary ? Self.attributes(isFolder: false, links: 1) + Self.longName(file.name) : []))
        }
        return records.reduce(into: []) { bytes, record in
            let room = Self.sector - bytes.count % Self.sector
            if record.count > room { bytes += [UInt8](repeating: 0, count: room) }
            bytes += record
        }
    }

    /// The short names are in order as they are; those of Joliet have to be put in order.
    private func sorted(_ tree: Tree, _ children: [Int], by name: (Int) -> String) -> [Int] {
        guard tree == .joliet else { return children }
        return children.sorted { Array(name($0).utf16).lexicographicallyPrecedes(Array(name($1).utf16)) }
    }

    private func name(_ tree: Tree, _ name: String, _ index: Int, isFolder: Bool) -> [UInt8] {
        tree == .primary ? Self.shortName(index, isFolder: isFolder) : Self.wide(name + (isFolder ? "" : ";1"))
    }

    private func record(name: [UInt8], _ extent: Extent, use: [UInt8]) -> [UInt8] {
        record(name: name, start: extent.start, size: extent.size, isFolder: true, use: use)
    }

    private func record(name: [UInt8], start: Int, size: Int, isFolder: Bool, use: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0, 0] + Self.both(start) + Self.both(size)
        bytes += [70, 1, 1, 0, 0, 0, 0, isFolder ? 2 : 0, 0, 0] + Self.bothShort(1)
        bytes += [UInt8(name.count)] + name
        if bytes.count % 2 == 1 { bytes.append(0) }
        bytes += use
        if bytes.count % 2 == 1 { bytes.append(0) }
        bytes[0] = UInt8(bytes.count)
        return bytes
    }

    /// What readers without Rock Ridge see: unique, and in order as they are added.
    private static func shortName(_ index: Int, isFolder: Bool) -> [UInt8] {
        let digits = String(index)
        let name = (isFolder ? "D" : "F") + String(repeating: "0", count: max(0, 7 - digits.count)) + digits
        return Array((isFolder ? name : name + ".;1").utf8)
    }

    private static func attributes(isFolder: Bool, links: Int) -> [UInt8] {
        Array("PX".utf8) + [36, 1] + both(isFolder ? 0o40555 : 0o100444) + both(links) + both(0) + both(0)
    }

    private static func longName(_ name: String) -> [UInt8] {
        Array("NM".utf8) + [UInt8(5 + name.utf8.count), 1, 0] + Array(name.utf8)
    }

    private static let extensionReference: [UInt8] = {
        let identifier = Array("RRIP_1991A".utf8)
        return Array("ER".utf8) + [UInt8(8 + identifier.count), 1, UInt8(identifier.count), 0, 0, 1] + identifier
    }()

    /// Filled up with blanks.
    private static func text(_ text: String, _ count: Int, _ tree: Tree) -> [UInt8] {
        if tree == .primary {
            let bytes = Array(text.utf8.prefix(count))
            return bytes + [UInt8](repeating: 0x20, count: count - bytes.count)
        }
        var bytes = wide(String(text.prefix(count / 2)))
        while bytes.count + 1 < count { bytes += [0, 0x20] }
        return bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }

    /// UCS-2, big-endian.
    private static func wide(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    }

    private static func little(_ value: Int) -> [UInt8] {
        let number = UInt32(truncatingIfNeeded: value)
        return (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private static func big(_ value: Int) -> [UInt8] { little(value).reversed() }
    private static func both(_ value: Int) -> [UInt8] { little(value) + big(value) }

    private static func bothShort(_ value: Int) -> [UInt8] {
        let low = Array(little(value).prefix(2))
        return low + low.reversed()
    }

    private static func sectors(_ count: Int) -> Int { (count + sector - 1) / sector }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: sectors(bytes.count) * sector - bytes.count)
    }
}
