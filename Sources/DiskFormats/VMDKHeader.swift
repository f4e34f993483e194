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
            let size = header.readDescriptor(text.text(0, text.count) ?? "")
            return DiskImageHeader(.vmdk(header), virtualSize: size, hazards: header.hazards(embedded: false))
        }
        guard let capacity: UInt64 = start.little(12), let place: UInt64 = start.little(28),
            let length: UInt64 = start.little(36), let unclean: UInt8 = start.little(72)
        else { return DiskImageHeader(.vmdk(header), virtualSize: nil, hazards: ["its header is cut off"]) }
        var hazards: [String] = []
        if place > 0 {
            if let offset = product(place, 512), let count = product(length, 512), count <= 1 << 20,
                let text = try file.whole(at: offset, count: Int(count))
            {
                _ = header.readDescriptor(text.text(0, text.count) ?? "")
            } else {
                hazards.append("its descriptor lies outside of the file")
            }
        }
        if unclean != 0 { hazards.append("it was not closed properly") }
        if capacity == 0 { hazards.append("it has no capacity of its own: its descriptor names its data") }
        return DiskImageHeader(
            .vmdk(header), virtualSize: product(capacity, 512), hazards: hazards + header.hazards(embedded: true))
    }

    /// Reads lines like `createType="x"`, `parentCID=1` and `RW 2048 SPARSE "disk.vmdk"`; returns the sum of the extents
    /// in bytes.
    private mutating func readDescriptor(_ text: String) -> UInt64? {
        var sectors: UInt64? = 0
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 3)
            if words.count >= 3, ["RW", "RDONLY", "NOACCESS"].contains(words[0]) {
                sectors = sectors.flatMap { sum in UInt64(words[1]).flatMap { product($0, 1, plus: sum) } }
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
        } else if extentFiles.count > 1 {
            hazards.append("its descriptor names more than one file")
        }
        return hazards
    }
}
