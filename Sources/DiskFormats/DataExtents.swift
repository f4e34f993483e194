package import SystemPackage

import CLinux
import Glibc

/// The parts of a file that hold data, in order, found one by one with SEEK_DATA and SEEK_HOLE.
///
/// Where the filesystem knows no holes the whole file is one extent. Asking moves the file's position.
package struct DataExtents {
    private let descriptor: FileDescriptor
    private var position: Int64
    private let end: Int64

    /// The extents of the file as long as it is now.
    package init(of descriptor: FileDescriptor) throws {
        self.descriptor = descriptor
        position = 0
        end = try descriptor.logicalSize()
    }

    /// All extents of a file: bytes from the start of the file.
    package static func all(of descriptor: FileDescriptor) throws -> [Range<Int64>] {
        var extents = try DataExtents(of: descriptor)
        var result: [Range<Int64>] = []
        while let extent = try extents.next() { result.append(extent) }
        return result
    }

    /// The next extent, or nil after the last one.
    package mutating func next() throws -> Range<Int64>? {
        guard position < end else { return nil }
        var start = Int64(if_seek_data(descriptor.rawValue, off_t(position)))
        if start < 0 {
            switch errno {
            case ENXIO:
                position = end
                return nil
            case EINVAL, EOPNOTSUPP, ESPIPE: start = position
            default: throw FileAccessError.current("find data in the file")
            }
        }
        guard start < end else {
            position = end
            return nil
        }
        let hole = Int64(if_seek_hole(descriptor.rawValue, off_t(start)))
        // A hole that is not behind its data is an answer of a filesystem without holes, or of a file being changed.
        let stop = hole > start ? min(hole, end) : end
        position = stop
        return start..<stop
    }
}
