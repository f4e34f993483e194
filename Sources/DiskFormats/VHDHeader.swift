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
    static func inspect(_ start: ByteFields, of file: some ByteSource) throws -> DiskImageHeader? {
        let atStart = start.has("conectix")
        var footer = start.bytes(at: 0, count: 512)
        if !atStart {
            guard file.size >= 512 else { return nil }
            footer = try file.bytes(at: file.size - 512, count: 512)
            guard footer.has("conectix"), isSound(footer) else { return nil }
        }
        guard let size: UInt64 = footer.big(48), let code: UInt32 = footer.big(60) else {
            return DiskImageHeader(
                .vhd(VHDHeader(type: .unknown(0))), virtualSize: nil, hazards: ["its header is cut off"])
        }
        let type: DiskType = code == 2 ? .fixed : code == 3 ? .dynamic : code == 4 ? .differencing : .unknown(code)
        var hazards: [String] = []
        if !isSound(footer) { hazards.append("the checksum of its header is wrong") }
        if type == .differencing { hazards.append("it has a parent disk") }
        if case .unknown(let code) = type { hazards.append("its type, \(code), is unknown") }
        if type == .fixed, !atStart, size > file.size - 512 { hazards.append("it is cut off") }
        return DiskImageHeader(.vhd(VHDHeader(type: type)), virtualSize: size, hazards: hazards)
    }

    private static func isSound(_ footer: ByteFields) -> Bool {
        guard footer.count == 512, let checksum: UInt32 = footer.big(64) else { return false }
        let sum = footer.content.enumerated().reduce(UInt32(0)) { sum, byte in
            (64..<68).contains(byte.offset) ? sum : sum + UInt32(byte.element)
        }
        return ~sum == checksum
    }
}

/// The header of a VDI (little-endian).
///
///     64  7f 10 da be   68  version   76  type   368  size   440  link to a parent, a UUID
///
/// Source: QEMU, block/vdi.c.
package struct VDIHeader: Hashable, Sendable {
    package enum DiskType: Hashable, Sendable {
        case dynamic, fixed
        case unknown(UInt32)
    }

    package let type: DiskType

    static func inspect(_ start: ByteFields) -> DiskImageHeader {
        guard let code: UInt32 = start.little(76), let size: UInt64 = start.little(368),
            let link = start.slice(440, 16)
        else {
            return DiskImageHeader(
                .vdi(VDIHeader(type: .unknown(0))), virtualSize: nil, hazards: ["its header is cut off"])
        }
        let type: DiskType = code == 1 ? .dynamic : code == 2 ? .fixed : .unknown(code)
        var hazards: [String] = []
        if link.contains(where: { $0 != 0 }) || code == 4 { hazards.append("it has a parent disk") }
        if case .unknown(let code) = type, code != 4 { hazards.append("its type, \(code), is unknown") }
        return DiskImageHeader(.vdi(VDIHeader(type: type)), virtualSize: size, hazards: hazards)
    }
}
