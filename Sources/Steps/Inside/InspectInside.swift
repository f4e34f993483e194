import DiskFormats
import Glibc
import Model
import SystemPackage

/// Reads the header of an image, and prints what it found as JSON. Nothing else runs in its containment.
struct InspectInside {
    let image: FilePath

    /// Throws what kept it from reading.
    func run() throws -> HeaderReport {
        // Not blocking: a pipe that took the file's place would never open.
        let file = try FileDescriptor.open(image, .readOnly, options: [.nonBlocking, .closeOnExec, .noFollow])
        return try file.closeAfter {
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
            guard status.st_mode & S_IFMT == S_IFREG else { throw Errno.notSupported }
            let header = try DiskImageHeader.inspect(file)
            return HeaderReport(
                format: header.kind.name, driver: header.kind.blockDriver,
                virtualSize: header.virtualSize.map { ByteCount($0) },
                fileSize: ByteCount(UInt64(max(0, status.st_size))), hazards: header.hazards,
                details: header.kind.details)
        }
    }
}

extension DiskImageKind {
    /// Facts for a person, each a few words.
    fileprivate var details: [String] {
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
