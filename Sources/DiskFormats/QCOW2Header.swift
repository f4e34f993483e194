/// The header of a qcow2 file, all numbers big-endian.
///
///     0  "QFI" fb   4  version   8  place, 16  length of the backing file's name   20  cluster bits   24  virtual size
///     32  encryption   36  L1 entries   40  L1 table   48  refcount table, 56  its clusters   60  snapshots
///     64  snapshot table   version 3:  72  incompatible, 80  compatible, 88  autoclear features   96  refcount order
///     100  header length   104  compression type     then extensions: type u32, length u32, data padded to 8
///
/// Source: QEMU, docs/interop/qcow2.txt.
package struct QCOW2Header: Hashable, Sendable {
    package enum Encryption: Hashable, Sendable {
        case none, aes, luks
        case unknown(UInt32)
    }

    package enum Compression: Hashable, Sendable {
        case zlib, zstd
        case unknown(UInt8)
    }

    /// 2 or 3; 1 is the older format qcow, of which nothing else is read.
    package let version: UInt32
    package var virtualSize: UInt64 = 0
    package var clusterBits: UInt32 = 0
    package var l1Entries: UInt32 = 0
    /// Where the L1 table begins, in bytes of the file.
    package var l1Table: UInt64 = 0
    /// The name of the file that is read where this one has no data.
    package var backingFile: String?
    /// The format of the backing file, where it is said.
    package var backingFormat: String?
    /// The name of the file that holds the data, where it is said.
    package var dataFile: String?
    package var encryption = Encryption.none
    package var compression = Compression.zlib
    package var snapshots: UInt32 = 0
    /// Bit 0 dirty, 1 corrupt, 2 data file, 3 compression type, 4 extended L2 entries.
    package var incompatibleFeatures: UInt64 = 0

    package var hasDataFile: Bool { incompatibleFeatures & 4 != 0 || dataFile != nil }

    static func inspect(_ start: ByteFields, of file: some ByteSource) throws -> DiskImageHeader {
        guard let version: UInt32 = start.big(4), (1...3).contains(version) else {
            return DiskImageHeader(
                .qcow2(QCOW2Header(version: start.big(4) ?? 0)), virtualSize: nil,
                hazards: ["it is a qcow2 file of an unknown version"])
        }
        var header = QCOW2Header(version: version)
        guard version > 1 else {
            return DiskImageHeader(
                .qcow2(header), virtualSize: nil,
                hazards: ["it is a qcow file of version 1, which may have a backing file"])
        }
        var hazards = header.readFields(start, fileSize: file.size)
        if hazards.isEmpty { hazards += try header.tableHazards(start, of: file) }
        hazards += try header.readBackingFile(start, of: file)
        hazards += try header.readExtensions(start, of: file)
        hazards += header.contentHazards
        return DiskImageHeader(.qcow2(header), virtualSize: header.virtualSize, hazards: hazards)
    }

    /// Reads the fixed fields; returns what is wrong with them.
    private mutating func readFields(_ start: ByteFields, fileSize: UInt64) -> [String] {
        guard let bits: UInt32 = start.big(20), let size: UInt64 = start.big(24), let crypt: UInt32 = start.big(32),
            let entries: UInt32 = start.big(36), let table: UInt64 = start.big(40),
            let snapshotCount: UInt32 = start.big(60), start.count >= (version == 3 ? 104 : 72)
        else { return ["its header is cut off"] }
        clusterBits = bits
        virtualSize = size
        l1Entries = entries
        l1Table = table
        encryption = crypt == 0 ? .none : crypt == 1 ? .aes : crypt == 2 ? .luks : .unknown(crypt)
        snapshots = snapshotCount
        var hazards: [String] = []
        if !(9...21).contains(bits) { hazards.append("its cluster size, 2^\(bits), is not possible") }
        if size > UInt64(Int64.max) { hazards.append("its virtual size, \(size), is not possible") }
        if product(UInt64(l1Entries), 8, plus: 0).map({ $0 > fileSize || l1Table > fileSize - $0 }) ?? true {
            hazards.append("its L1 table lies outside of the file")
        }
        if version == 3 {
            incompatibleFeatures = start.big(72) ?? 0
            let headerLength: UInt32 = start.big(100) ?? 0
            if headerLength < 104 || headerLength % 8 != 0 || headerLength > 4096 {
                hazards.append("its header length, \(headerLength), is not possible")
            } else if incompatibleFeatures & 8 != 0, headerLength > 104 {
                let type: UInt8 = start.big(104) ?? 0
                compression = type == 0 ? .zlib : type == 1 ? .zstd : .unknown(type)
            }
        }
        return hazards
    }

    /// What QEMU allocates from the header alone, and where the tables are: as QEMU limits them, and inside of the file.
    private func tableHazards(_ start: ByteFields, of file: some ByteSource) throws -> [String] {
        guard let l1Entries: UInt32 = start.big(36), let l1Table: UInt64 = start.big(40),
            let counts: UInt64 = start.big(48), let countClusters: UInt32 = start.big(56)
        else { return ["its header is cut off"] }
        var hazards: [String] = []
        let cluster = UInt64(1) << UInt64(clusterBits)
        let countBytes = UInt64(countClusters) << UInt64(clusterBits)
        if l1Entries > 4 << 20 { hazards.append("its L1 table, \(l1Entries) entries, is too large") }
        if countClusters == 0 || countBytes > 8 << 20 {
            hazards.append("its table of reference counts, \(countClusters) clusters, is not possible")
        } else if counts > file.size || countBytes > file.size - counts {
            hazards.append("its table of reference counts lies outside of the file")
        }
        if l1Table % cluster != 0 || counts % cluster != 0 || counts == 0 || (l1Table == 0 && l1Entries > 0) {
            hazards.append("its tables are not where clusters begin")
        }
        if version == 3, let order: UInt32 = start.big(96), order > 6 {
            hazards.append("its reference counts of 2^\(order) bits are not possible")
        }
        let perTable = cluster / (incompatibleFeatures & 16 != 0 ? 16 : 8) * cluster
        if (virtualSize / perTable) + (virtualSize % perTable == 0 ? 0 : 1) > UInt64(l1Entries) {
            hazards.append("its L1 table is too short for its virtual size")
        }
        guard hazards.isEmpty else { return hazards }
        let table = try file.bytes(at: l1Table, count: Int(l1Entries) * 8)
        let strays = stride(from: 0, to: table.count, by: 8).contains { at in
            let place = (table.big(at, as: UInt64.self) ?? 0) & 0x00ff_ffff_ffff_fe00
            return place >= file.size || place % cluster != 0
        }
        return strays ? ["its L1 table points outside of the file"] : []
    }

    private mutating func readBackingFile(_ start: ByteFields, of file: some ByteSource) throws -> [String] {
        guard let offset: UInt64 = start.big(8), let length: UInt32 = start.big(16), offset != 0 else { return [] }
        guard length <= 1023, let name = try file.whole(at: offset, count: Int(length)) else {
            backingFile = ""
            return ["it has a backing file whose name lies outside of the file"]
        }
        backingFile = name.text(0, name.count) ?? ""
        // "json:{…}" and "nbd://…" are no names of files: QEMU opens whatever they describe.
        let isDescription = backingFile?.prefix { $0 != "/" }.contains(":") ?? false
        return ["it has a backing file\(isDescription ? ", by description" : ""): \(quoted(backingFile))"]
    }

    private mutating func readExtensions(_ start: ByteFields, of file: some ByteSource) throws -> [String] {
        var at: UInt64 = version == 3 ? UInt64(start.big(100, as: UInt32.self) ?? 104) : 72
        guard at <= 4096 else { return [] }
        for _ in 0..<64 {
            guard let head = try file.whole(at: at, count: 8), let type: UInt32 = head.big(0),
                let length: UInt32 = head.big(4), type != 0
            else { return [] }
            guard length <= 1 << 20, at + 8 + UInt64(length) <= file.size else {
                return ["a header extension lies outside of the file"]
            }
            switch type {
            case 0xe279_2aca: backingFormat = try file.bytes(at: at + 8, count: Int(length)).text(0, Int(length))
            case 0x0537_be77 where encryption == .none: return ["it has a header for encryption and says it has none"]
            case 0x4441_5441: dataFile = try file.bytes(at: at + 8, count: Int(length)).text(0, Int(length)) ?? ""
            default: break
            }
            at += 8 + (UInt64(length) + 7) / 8 * 8
        }
        return ["it has too many header extensions"]
    }

    private var contentHazards: [String] {
        var hazards: [String] = []
        if hasDataFile { hazards.append("its data is in another file: \(quoted(dataFile))") }
        if encryption != .none { hazards.append("it is encrypted") }
        if snapshots > 0 { hazards.append("it has \(snapshots) internal snapshots, which keep older content") }
        if incompatibleFeatures & 1 != 0 { hazards.append("it was not closed properly (dirty)") }
        if incompatibleFeatures & 2 != 0 { hazards.append("it is marked corrupt") }
        if incompatibleFeatures & ~0x1f != 0 { hazards.append("it uses unknown incompatible features") }
        if case .unknown(let type) = compression { hazards.append("its compression type, \(type), is unknown") }
        return hazards
    }
}

/// A name out of an image, fit for one line of text: at most 120 characters, without control characters.
func quoted(_ name: String?) -> String {
    guard let name, !name.isEmpty else { return "a name that is not said" }
    let line = String(String.UnicodeScalarView(name.unicodeScalars.map { $0.properties.isPrintable ? $0 : "?" }))
    return "'\(line.prefix(120))'"
}

extension Unicode.Scalar.Properties {
    /// Whether it takes part in a line without moving the cursor or the direction of writing.
    fileprivate var isPrintable: Bool {
        switch generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
