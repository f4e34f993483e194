/// The footer of a VHD (big-endian), in the last sector, and of all but fixed disks also in the first.
///
///     0  "conectix"   16  place of the dynamic header   48  size   60  type   64  checksum: ~(sum of the other bytes)
///
/// Source: Microsoft, Virtual Hard Disk Image Format Specification.
package struct VHDHeader: Hashable, Sendable {
    package enum DiskType: Hashable, Sendable {
        case fixed, dynamic, differencing
        case unknown(UInt32)
    }

    package let type: DiskType

    /// Nil if it is none. A fixed VHD is known only by a footer with the right checksum: otherwise a guest could make
    /// its raw disk look like one with eight bytes.
    static func inspect(_ start: ByteFields, _ end: ByteFields, of file: some ByteSource) throws -> DiskImageHeader? {
        let atStart = start.has("conectix")
        let footer = atStart ? start.bytes(at: 0, count: 512) : end
        guard atStart || (footer.has("conectix") && isSound(footer)) else { return nil }
        guard let size: UInt64 = footer.big(48), let code: UInt32 = footer.big(60) else {
            return DiskImageHeader(
                .vhd(VHDHeader(type: .unknown(0))), virtualSize: nil, hazards: ["its header is cut off"])
        }
        let type: DiskType = code == 2 ? .fixed : code == 3 ? .dynamic : code == 4 ? .differencing : .unknown(code)
        var hazards: [String] = []
        if !isSound(footer) { hazards.append("the checksum of its header is wrong") }
        switch type {
        case .unknown(let code): hazards.append("its type, \(code), is unknown")
        case .fixed where atStart: hazards.append("it is fixed and has a header like a dynamic one")
        case .fixed:
            if size > file.size - 512 { hazards.append("it is cut off") }
            if size < file.size - 512 { hazards.append("it has more bytes than its footer says") }
        case .differencing: hazards.append("it has a parent disk")
        case .dynamic:
            if !atStart { hazards.append("it is dynamic and has no header at its start") }
            if end.content != start.bytes(at: 0, count: 512).content {
                hazards.append("its footer differs from its header, or is missing")
            }
            hazards += try dynamicHazards(footer, size: size, of: file)
        }
        return DiskImageHeader(.vhd(VHDHeader(type: type)), virtualSize: size, hazards: hazards)
    }

    /// The second header: place of the table u64 at 16, its entries u32 at 28, bytes in a block u32 at 32, the parent's
    /// UUID at 40 and name at 64, places of the parent from 576.
    private static func dynamicHazards(
        _ footer: ByteFields, size: UInt64, of file: some ByteSource
    ) throws -> [String] {
        guard let place: UInt64 = footer.big(16), let header = try file.whole(at: place, count: 1024),
            header.has("cxsparse"), let table: UInt64 = header.big(16), let entries: UInt32 = header.big(28),
            let block: UInt32 = header.big(32)
        else { return ["its dynamic header is missing or lies outside of the file"] }
        var hazards: [String] = []
        let parent = [(40, 16), (64, 512), (576, 192)].compactMap { header.slice($0.0, $0.1) }
        if parent.joined().contains(where: { $0 != 0 }) { hazards.append("it says dynamic and names a parent disk") }
        if block < 512 || block & (block - 1) != 0 || block > 1 << 30 {
            hazards.append("its blocks of \(block) bytes are not possible")
        } else if product(UInt64(entries), UInt64(block)).map({ $0 < size }) ?? true {
            hazards.append("its table is too short for its virtual size")
        }
        if table > file.size || UInt64(entries) * 4 > file.size - table {
            hazards.append("its table lies outside of the file")
        }
        return hazards
    }

    private static func isSound(_ footer: ByteFields) -> Bool {
        guard footer.count == 512, let checksum: UInt32 = footer.big(64) else { return false }
        let sum = footer.content.enumerated().reduce(UInt32(0)) { sum, byte in
            (64..<68).contains(byte.offset) ? sum : sum + UInt32(byte.element)
        }
        return ~sum == checksum
    }
}
