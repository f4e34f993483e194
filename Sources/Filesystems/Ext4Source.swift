import CExt2
import DiskFormats
import Glibc

/// Hands the library the bytes of a filesystem inside a disk of any kind.
final class Ext4Source {
    private let bytes: (_ offset: UInt64, _ count: Int) throws -> [UInt8]

    init(_ disk: some ByteSource, offset: UInt64) {
        bytes = { at, count in
            let (place, overflow) = offset.addingReportingOverflow(at)
            return overflow ? [] : try disk.bytes(at: place, count: count).content
        }
    }

    static let read: cext2_source = { context, offset, target, count in
        guard let context, let target else { return EINVAL }
        let source = Unmanaged<Ext4Source>.fromOpaque(context).takeUnretainedValue()
        guard let found = try? source.bytes(offset, count), found.count <= count else { return EIO }
        let buffer = UnsafeMutableRawBufferPointer(start: target, count: count)
        buffer.copyBytes(from: found)
        UnsafeMutableRawBufferPointer(rebasing: buffer[found.count...]).initializeMemory(as: UInt8.self, repeating: 0)
        return 0
    }
}
