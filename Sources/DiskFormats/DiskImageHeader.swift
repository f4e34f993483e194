package import SystemPackage

/// What a file says it is, from its first bytes (and, for VHD, its last ones).
///
/// It is for choosing a format explicitly, so that no program guesses, and for refusing what would read other files of
/// the host. Nothing it reads is trusted; it says what is there and never follows it.
package struct DiskImageHeader: Hashable, Sendable {
    package let kind: DiskImageKind
    /// The bytes a guest would see; nil if the header does not say.
    package let virtualSize: UInt64?
    /// Why it is not safe to use as it is, one line each: it reads other files, it is damaged or encrypted, it keeps
    /// older content. Empty for a plain, sound image.
    package let hazards: [String]

    init(_ kind: DiskImageKind, virtualSize: UInt64?, hazards: [String] = []) {
        self.kind = kind
        self.virtualSize = virtualSize
        self.hazards = hazards
    }

    /// Inspects an open file. Throws `FileAccessError` if it cannot be read; no content makes it fail.
    package static func inspect(_ descriptor: FileDescriptor) throws -> DiskImageHeader {
        try inspect(FileBytes(descriptor))
    }

    package static func inspect(_ file: some ByteSource) throws -> DiskImageHeader {
        let start = try file.bytes(at: 0, count: 4096)
        let end = file.size >= 512 ? try file.bytes(at: file.size - 512, count: 512) : ByteFields([])
        let header = try detect(start, end, file)
        var hazards = header.hazards
        if let size = header.virtualSize, size > largestDisk {
            hazards.append("its virtual size, \(size) bytes, is more than any disk has")
        }
        hazards += try SecondFormat.hazards(beside: header.kind, start, end, file)
        return DiskImageHeader(header.kind, virtualSize: header.virtualSize, hazards: hazards)
    }

    /// 64 TiB. More only makes tools reserve tables and loops run long.
    private static let largestDisk: UInt64 = 64 << 40

    private static func detect(
        _ start: ByteFields, _ end: ByteFields, _ file: some ByteSource
    ) throws -> DiskImageHeader {
        if start.has([0x51, 0x46, 0x49, 0xfb]) { return try QCOW2Header.inspect(start, of: file) }
        if start.has("KDMV") || start.has("COWD") || VMDKHeader.isDescriptor(start) {
            return try VMDKHeader.inspect(start, of: file)
        }
        if start.has("vhdxfile") { return try VHDXHeader.inspect(file) }
        if start.has(VDIHeader.magic, at: 0x40) { return VDIHeader.inspect(start, fileSize: file.size) }
        if start.has([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]) {
            return DiskImageHeader(
                .luks(version: start.big(6) ?? 0), virtualSize: nil, hazards: ["it is encrypted (LUKS)"])
        }
        if let other = UnusedFormat(start, end) {
            return DiskImageHeader(
                .unused(other), virtualSize: nil, hazards: ["it is \(other.title), which is not taken"])
        }
        if let compression = Compression(magicOf: start) {
            return DiskImageHeader(.compressed(compression), virtualSize: nil)
        }
        if let disk = try VHDHeader.inspect(start, end, of: file) { return disk }
        if let disc = try iso9660(file) { return disc }
        return try raw(file)
    }

    /// The volume descriptor in the disc's sector 16.
    private static func iso9660(_ file: some ByteSource) throws -> DiskImageHeader? {
        let descriptor = try file.bytes(at: 32768, count: 2048)
        guard descriptor.has("CD001", at: 1) else { return nil }
        let label = descriptor.text(40, 32) ?? ""
        var hazards: [String] = []
        if let blocks: UInt32 = descriptor.little(80), let size: UInt16 = descriptor.little(128),
            let used = product(UInt64(blocks), UInt64(size)), used > file.size
        {
            hazards.append("it is cut off: the disc has \(used) bytes and the file \(file.size)")
        }
        return DiskImageHeader(.iso9660(label: label), virtualSize: file.size, hazards: hazards)
    }

    private static func raw(_ file: some ByteSource) throws -> DiskImageHeader {
        var hazards: [String] = []
        if file.size == 0 { hazards.append("it is empty") }
        if file.size % 512 != 0 { hazards.append("its size is not a multiple of 512 bytes") }
        if file.size >= 512, try file.bytes(at: file.size - 512, count: 8).has("conectix") {
            hazards.append("it ends with a damaged VHD footer")
        }
        return DiskImageHeader(.raw, virtualSize: file.size, hazards: hazards)
    }
}

/// The formats told apart.
package enum DiskImageKind: Hashable, Sendable {
    /// No format that has a header: a disk as it is, if it is a disk.
    case raw
    case qcow2(QCOW2Header)
    case vmdk(VMDKHeader)
    case vhd(VHDHeader)
    case vhdx
    case vdi(VDIHeader)
    case luks(version: UInt16)
    case iso9660(label: String)
    case compressed(Compression)
    /// A disk format that other programs know and that nothing here reads.
    case unused(UnusedFormat)

    /// What it is called: "qcow2".
    package var name: String {
        switch self {
        case .raw: "raw"
        case .qcow2(let header): header.version == 1 ? "qcow" : "qcow2"
        case .vmdk: "vmdk"
        case .vhd: "vhd"
        case .vhdx: "vhdx"
        case .vdi: "vdi"
        case .luks: "luks"
        case .iso9660: "iso"
        case .compressed(let compression): compression.rawValue
        case .unused(let format): format.rawValue
        }
    }

    /// The name of QEMU's block driver, or nil if none takes it as a disk of ours.
    package var blockDriver: String? {
        switch self {
        case .raw, .iso9660: "raw"
        case .qcow2(let header): header.version == 1 ? "qcow" : "qcow2"
        case .vmdk: "vmdk"
        case .vhd: "vpc"
        case .vhdx: "vhdx"
        case .vdi: "vdi"
        case .luks: "luks"
        case .compressed, .unused: nil
        }
    }
}

/// What whole files are compressed with.
package enum Compression: String, Hashable, Sendable, CaseIterable {
    case gzip, xz, zstd, bzip2

    init?(magicOf start: ByteFields) {
        let magics: [(Compression, [UInt8])] = [
            (.gzip, [0x1f, 0x8b, 0x08]), (.xz, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
            (.zstd, [0x28, 0xb5, 0x2f, 0xfd]),
        ]
        if let found = magics.first(where: { start.has($0.1) }) {
            self = found.0
        } else if start.has("BZh"),
            start.has([0x31, 0x41, 0x59, 0x26, 0x53, 0x59], at: 4)
                || start.has([0x17, 0x72, 0x45, 0x38, 0x50, 0x90], at: 4)
        {
            self = .bzip2
        } else {
            return nil
        }
    }
}
