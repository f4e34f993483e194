import DiskFormats
import Model
import SystemPackage
import Tooling

/// From a raw disk to a qcow2 file and its digest.
package struct ConvertInside: Codable, Sendable {
    var compression: Output.Compression

    private var disk: FilePath { "/mnt/in/disk.raw" }
    private var folder: FilePath { "/mnt/out" }

    /// Calls `progress` with bytes of the disk, at most once for each hundredth of it.
    func run(progress: @escaping @Sendable (_ done: Int64, _ total: Int64) -> Void) async throws {
        let file = folder.appending("disk.qcow2")
        let hexadecimal = try await BlockingWork.run { checkCancellation in
            var told: Int64 = -1
            return try write(file) { done, total in
                try checkCancellation()
                let hundredths = total == 0 ? 100 : done / max(1, total / 100)
                if hundredths > told { progress(done, total) }
                told = max(told, hundredths)
            }
        }
        guard let digest = Digest(hexadecimal) else {
            throw FactoryError(.internal, "the digest of \(file) is malformed")
        }
        try DigestRecord.write(digest, of: file, into: folder)
    }

    private func write(_ file: FilePath, progress: ByteProgress) throws -> String {
        guard let compression = ClusterCompression(rawValue: compression.rawValue) else {
            throw FactoryError(.internal, "qcow2 files know no compression \(compression)")
        }
        let source = try FileDescriptor.open(disk, .readOnly, options: .closeOnExec)
        return try source.closeAfter {
            let target = try FileDescriptor.open(
                file, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
            return try target.closeAfter {
                try QCOW2Writer(compression: compression).write(source, to: target, progress: progress)
            }
        }
    }
}
