/// The header of a VMDK: a sparse extent ("KDMV", little-endian), the older ESX one ("COWD"), or a text that names files.
///
///     0  "KDMV"   4  version   8  flags   12  capacity in sectors   20  grain   28  place and 36  size of the embedded
///     descriptor in sectors   44  entries per grain table   56  grain directory   72  unclean   77  compression u16
///
/// Source: VMware Virtual Disks, Virtual Disk Format 5.0.
package struct VMDKHeader: Hashable, Sendable {
    /// As the descriptor says: "monolithicSparse", "streamOptimized"; nil without one.
    package var createType: String?
    /// The names of the files that hold the data, where a text names them.
    package var extentFiles: [String] = []
    /// Whether an extent is of another type than this kind of file holds.
    private var hasForeignExtents = false
    /// The name of the disk that this one differs from.
    package var parent: String?

    static func inspect(_ start: ByteFields, of file: some ByteSource) throws -> DiskImageHeader {
        var header = VMDKHeader()
        guard !start.has("COWD") else {
            return DiskImageHeader(
                .vmdk(header), virtualSize: (start.little(12, as: UInt32.self)).map { UInt64($0) * 512 },
                hazards: ["it is an ESX extent, whose descriptor is another file"])
        }
        guard start.has("KDMV") else {
            let text = try file.bytes(at: 0, count: 64 << 10)
            let size = header.readDescriptor(text)
            return DiskImageHeader(.vmdk(header), virtualSize: size, hazards: header.hazards(embedded: false))
        }
        guard let capacity: UInt64 = start.little(12), let unclean: UInt8 = start.little(72) else {
            return DiskImageHeader(.vmdk(header), virtualSize: nil, hazards: ["its header is cut off"])
        }
        var hazards = tableHazards(start, fileSize: file.size)
        if unclean != 0 { hazards.append("it was not closed properly") }
        if capacity == 0 { hazards.append("it has no capacity of its own: its descriptor names its data") }
        hazards += try header.readEmbedded(start, of: file)
        return DiskImageHeader(
            .vmdk(header), virtualSize: product(capacity, 512), hazards: hazards + header.hazards(embedded: true))
    }

    /// Whether a text is a descriptor to QEMU: comments and empty lines before "version=".
    static func isDescriptor(_ start: ByteFields) -> Bool {
        if start.has("# Disk DescriptorFile") { return true }
        guard let first = start.content.first,
            first == UInt8(ascii: "#") || first == 10 || first == 13 || first == 32
                || first == UInt8(ascii: "v")
        else { return false }
        for line in (start.text(0, start.count) ?? "").split(whereSeparator: \.isNewline) {
            if line.hasPrefix("version=") { return true }
            guard line.hasPrefix("#") || line.allSatisfy({ $0 == " " }) else { return false }
        }
        return false
    }

    /// 4 version   20 grain in sectors   44 entries of a grain table   56 grain directory, or all ones: at the end.
    private static func tableHazards(_ start: ByteFields, fileSize: UInt64) -> [String] {
        guard let version: UInt32 = start.little(4), let grain: UInt64 = start.little(20),
            let entries: UInt32 = start.little(44), let directory: UInt64 = start.little(56)
        else { return ["its header is cut off"] }
        var hazards: [String] = []
        if !(1...3).contains(version) { hazards.append("its version, \(version), is unknown") }
        if grain < 8 || grain > 1 << 21 || grain & (grain - 1) != 0 || entries == 0 || entries > 512 {
            hazards.append("its tables are not possible")
        }
        if directory != .max, product(directory, 512).map({ $0 >= fileSize }) ?? true {
            hazards.append("its grain directory lies outside of the file")
        }
        return hazards
    }

    /// The descriptor behind the header. QEMU looks for a parent in twenty sectors from the second one on, wherever the
    /// header says that the descriptor is and ends: so all of that is read.
    private mutating func readEmbedded(_ start: ByteFields, of file: some ByteSource) throws -> [String] {
        guard let place: UInt64 = start.little(28), let length: UInt64 = start.little(36), place > 0 else {
            return ["it has no descriptor: it is a part of a disk"]
        }
        guard let offset = product(place, 512), let count = product(length, 512), count <= 1 << 20,
            let text = try file.whole(at: offset, count: Int(count))
        else { return ["its descriptor lies outside of the file"] }
        _ = readDescriptor(text)
        let other = try file.bytes(at: 512, count: 20 * 512)
        if parent == nil, [text, other].contains(where: Self.namesParent) { parent = "" }
        return []
    }

    /// Whether the words that name a parent stand anywhere, also in a comment or behind a NUL.
    private static func namesParent(_ text: ByteFields) -> Bool {
        let word = Array("parentfilenamehint".utf8)
        let lower = text.content.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        return !lower.ranges(of: word).isEmpty
    }

    /// Reads lines like `createType="x"`, `parentCID=1` and `RW 2048 SPARSE "disk.vmdk"`; returns the sum of the extents
    /// in bytes.
    private mutating func readDescriptor(_ bytes: ByteFields) -> UInt64? {
        var sectors: UInt64? = 0
        for line in (bytes.text(0, bytes.count) ?? "").split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 3)
            if words.count >= 3, ["RW", "RDONLY", "NOACCESS"].contains(words[0]) {
                sectors = sectors.flatMap { sum in UInt64(words[1]).flatMap { product($0, 1, plus: sum) } }
                if words[2] != "SPARSE" { hasForeignExtents = true }
                extentFiles.append(words.count > 3 ? Self.unquoted(words[3]) : "")
                continue
            }
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = Self.unquoted(line[line.index(after: equals)...])
            switch line[..<equals].filter({ $0 != " " }).lowercased() {
            case "createtype": createType = value
            case "parentcid" where value.lowercased() != "ffffffff": parent = parent ?? ""
            case "parentfilenamehint": parent = value
            default: break
            }
        }
        return sectors.flatMap { product($0, 512) }
    }

    /// What stands between the first two quotation marks, or the trimmed text if there are none.
    private static func unquoted(_ text: Substring) -> String {
        let parts = text.split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
        return String(parts.count > 1 ? parts[1] : text.drop { $0 == " " })
    }

    private func hazards(embedded: Bool) -> [String] {
        var hazards: [String] = []
        if let parent { hazards.append("it has a parent disk: \(quoted(parent))") }
        if !embedded {
            let names = extentFiles.prefix(3).map { quoted($0) }.joined(separator: ", ")
            hazards.append("its data is in other files: \(names.isEmpty ? quoted(nil) : names)")
        } else {
            if extentFiles.count > 1 { hazards.append("its descriptor names more than one file") }
            if hasForeignExtents { hazards.append("its descriptor names data of another type") }
            if let createType, !["monolithicSparse", "streamOptimized"].contains(createType) {
                hazards.append("its type is \(quoted(createType)), whose data is in other files")
            }
        }
        return hazards
    }
}
