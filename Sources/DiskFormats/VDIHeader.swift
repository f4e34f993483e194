/// The header of a VDI (little-endian).
///
///     64  7f 10 da be   68  version   76  type   340  place of the block map   344  place of the data
///     360  sector size   368  size   376  block size   384  blocks   424 and 440  UUIDs of parents
///
/// Source: QEMU, block/vdi.c.
package struct VDIHeader: Hashable, Sendable {
    package enum DiskType: Hashable, Sendable {
        case dynamic, fixed
        case unknown(UInt32)
    }

    static let magic: [UInt8] = [0x7f, 0x10, 0xda, 0xbe]

    package let type: DiskType

    static func inspect(_ start: ByteFields, fileSize: UInt64) -> DiskImageHeader {
        guard let code: UInt32 = start.little(76), let size: UInt64 = start.little(368),
            let map: UInt32 = start.little(340), let data: UInt32 = start.little(344),
            let sector: UInt32 = start.little(360), let block: UInt32 = start.little(376),
            let blocks: UInt32 = start.little(384), let link = start.slice(424, 32)
        else {
            return DiskImageHeader(
                .vdi(VDIHeader(type: .unknown(0))), virtualSize: nil, hazards: ["its header is cut off"])
        }
        let type: DiskType = code == 1 ? .dynamic : code == 2 ? .fixed : .unknown(code)
        var hazards: [String] = []
        if start.little(68, as: UInt32.self) != 0x10001 { hazards.append("its version is unknown") }
        if link.contains(where: { $0 != 0 }) || code == 4 { hazards.append("it has a parent disk") }
        if case .unknown(let code) = type, code != 4 { hazards.append("its type, \(code), is unknown") }
        if sector != 512 || block != 1 << 20 { hazards.append("its blocks of \(block) bytes are not possible") }
        if UInt64(blocks) << 20 < size { hazards.append("its map is too short for its virtual size") }
        if map % 512 != 0 || UInt64(map) + UInt64(blocks) * 4 > fileSize || UInt64(data) > fileSize {
            hazards.append("its map lies outside of the file")
        }
        return DiskImageHeader(.vdi(VDIHeader(type: type)), virtualSize: size, hazards: hazards)
    }
}
