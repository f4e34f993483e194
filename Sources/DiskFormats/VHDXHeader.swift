/// The places of a VHDX (little-endian) that say its size and whether it stands alone.
///
///     0      "vhdxfile"
///     64 K   header, and a second one at 128 K: "head"  8  sequence u64   48  GUID of a log to replay
///     192 K  regions, and again at 256 K: "regi"  8  count   16  entries: GUID, place u64, length u32, flags
///     there  metadata: "metadata"  10  count u16   32  entries: GUID, place u32, length u32, flags, 0
///
/// Source: MS-VHDX.
enum VHDXHeader {
    private static let metadataRegion = GUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")
    private static let fileParameters = GUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
    private static let parentLocator = GUID("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C")
    private static let virtualDiskSize = GUID("2FA54224-CD1B-4876-B211-5DBED83BF4B8")

    static func inspect(_ file: some ByteSource) throws -> DiskImageHeader {
        var hazards: [String] = []
        if try hasLog(file) { hazards.append("it was not closed properly: it has a log to replay") }
        guard let items = try metadata(file) else {
            return DiskImageHeader(.vhdx, virtualSize: nil, hazards: hazards + ["its metadata is damaged"])
        }
        let flags: UInt32? = items.parameters?.little(4)
        if flags == nil { hazards.append("it does not say whether it has a parent disk") }
        if flags.map({ $0 & 2 != 0 }) ?? false || items.namesParent { hazards.append("it has a parent disk") }
        let size: UInt64? = items.size?.little(0)
        if size == nil { hazards.append("it does not say its size") }
        return DiskImageHeader(.vhdx, virtualSize: size, hazards: hazards)
    }

    /// Whether the current header, the one with the higher sequence, has a log.
    private static func hasLog(_ file: some ByteSource) throws -> Bool {
        let headers = try [64 << 10, 128 << 10].map { try file.bytes(at: $0, count: 4096) }.filter { $0.has("head") }
        let current = headers.max { ($0.little(8, as: UInt64.self) ?? 0) < ($1.little(8) ?? 0) }
        // Without a header nothing tells: tools look for one in the log.
        return current?.slice(48, 16)?.contains { $0 != 0 } ?? true
    }

    private static func metadata(
        _ file: some ByteSource
    ) throws -> (parameters: ByteFields?, size: ByteFields?, namesParent: Bool)? {
        guard let place = try metadataPlace(file) else { return nil }
        let table = try file.bytes(at: place, count: 64 << 10)
        guard table.has("metadata"), let count: UInt16 = table.little(10), count <= 2047 else { return nil }
        var found: (parameters: ByteFields?, size: ByteFields?, namesParent: Bool) = (nil, nil, false)
        for at in stride(from: 32, to: 32 + 32 * Int(count), by: 32) {
            guard let guid = table.slice(at, 16).flatMap({ GUID(onDisk: $0) }),
                let offset: UInt32 = table.little(at + 16), let start = product(1, place, plus: UInt64(offset))
            else { return nil }
            if guid == fileParameters { found.parameters = try file.whole(at: start, count: 8) }
            if guid == parentLocator { found.namesParent = true }
            if guid == virtualDiskSize { found.size = try file.whole(at: start, count: 8) }
        }
        return found
    }

    private static func metadataPlace(_ file: some ByteSource) throws -> UInt64? {
        for copy: UInt64 in [192 << 10, 256 << 10] {
            let table = try file.bytes(at: copy, count: 64 << 10)
            guard table.has("regi"), let count: UInt32 = table.little(8), count <= 2047 else { continue }
            for at in stride(from: 16, to: 16 + 32 * Int(count), by: 32) {
                guard let guid = table.slice(at, 16).flatMap({ GUID(onDisk: $0) }) else { break }
                if guid == metadataRegion { return table.little(at + 16) }
            }
        }
        return nil
    }
}
