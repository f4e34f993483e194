import DiskFormats
import Filesystems
import SystemPackage
import Testing

@testable import Steps

/// Changes a disk before a test.
enum DiskChange {
    /// Writes a file of the system in the disk.
    static func write(_ text: String, _ path: BytePath, _ image: FilePath) throws {
        let file = try FileDescriptor.open(image, .readOnly)
        let root = try file.closeAfter { try #require(try SystemRoot.all(of: try FileBytes(file)).first) }
        let editor = try Ext4Editor(image, offset: UInt64(root.bytes.lowerBound))
        try editor.write(Array(text.utf8), to: path)
        try editor.flush()
    }

    /// Enters a partition in an MBR. What is in bytes is a multiple of sectors.
    static func addPartition(_ number: Int64, type: UInt8, _ bytes: Range<Int64>, to file: FileDescriptor) throws {
        let numbers = [bytes.lowerBound, Int64(bytes.count)].flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: (number / 512) >> ($0 * 8)) }
        }
        try file.writeAll(toAbsoluteOffset: 446 + 16 * (number - 1), [0, 0, 0, 0, type, 0, 0, 0] + numbers)
        try file.writeAll(toAbsoluteOffset: 510, [0x55, 0xaa])
    }
}
