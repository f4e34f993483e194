import DiskFormats
import Model
import SystemPackage

extension InspectedFile {
    /// Takes over what an artifact's header says. Throws if the file cannot be read.
    mutating func describe(_ path: FilePath) throws {
        let descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        let found = try descriptor.closeAfter { try DiskImageHeader.inspect(descriptor) }
        // A tar file is one by its name: to a reader of disks it has no header.
        let isTar = found.kind == .raw && file.hasSuffix(".tar")
        format = isTar ? "tar" : found.kind.name
        header = found.kind.facts
        virtualSize = isTar ? nil : found.virtualSize.map { ByteCount($0) }
        let expected = Output.Format(
            rawValue: PublishedName(file).map { String(file.dropFirst($0.stem.count + 1)) } ?? "")
        if let expected, !isTar, format != expected.headerName {
            problems.append("its name says that it is \(expected.rawValue), its content that it is \(format ?? "")")
        }
        if !isTar { problems += found.hazards.map { "it is not safe to use: \($0)" } }
    }
}

extension Output.Format {
    /// What a header says of such a file.
    fileprivate var headerName: String {
        switch self {
        case .tarZstd: Compression.zstd.rawValue
        case .raw, .qcow2, .tar: rawValue
        }
    }
}

extension DiskImageKind {
    fileprivate var facts: [String] {
        switch self {
        case .qcow2(let header):
            [
                "version \(header.version)",
                header.clusterBits < 32 ? "clusters of \(ByteCount(1 << UInt64(header.clusterBits)))" : nil,
                "compression \(header.compression)", header.snapshots > 0 ? "\(header.snapshots) snapshots" : nil,
            ].compactMap(\.self)
        case .iso9660(let label): ["label '\(label)'"]
        case .luks(let version): ["version \(version)"]
        case .raw, .vmdk, .vhd, .vhdx, .vdi, .compressed, .unused: []
        }
    }
}
