import DiskFormats
import Glibc
import Model
import SystemPackage

/// Gives a raw disk another size, and moves the second copy of a GPT to its end.
package struct ResizeInside: Codable, Sendable {
    var size: ByteCount

    private var disk: FilePath { "/mnt/out/disk.raw" }

    func run(log: (String) -> Void) throws {
        let file = try FileDescriptor.open(disk, .readWrite, options: .closeOnExec)
        try file.closeAfter {
            let old = UInt64(try file.seek(offset: 0, from: .end))
            if size.bytes > old { try resize(file) }
            do {
                switch try GPTRelocation.fit(file, to: size.bytes) {
                case .noTable, .inPlace: break
                case .moved: log("the partition table covers the whole disk now")
                case .damaged(let reason): log(InsideMessage.warning("the partition table is damaged: \(reason)"))
                }
            } catch let error as FileAccessError {
                throw FactoryError(
                    .definition, "the disk cannot have \(size.bytes) bytes: \(error)", remedy: "choose a larger size")
            }
            if size.bytes < old { try resize(file) }
        }
    }

    private func resize(_ file: FileDescriptor) throws {
        guard let length = Int64(exactly: size.bytes), ftruncate(file.rawValue, off_t(length)) == 0 else {
            throw FactoryError(
                .inputOutput, "cannot give the disk \(size.bytes) bytes: \(Errno(rawValue: errno))",
                remedy: "choose another size, or another filesystem for the store")
        }
    }
}
