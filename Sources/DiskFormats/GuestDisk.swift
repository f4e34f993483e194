package import SystemPackage

/// The disk in a raw or qcow2 file, as a guest sees it. One thread at a time may use it.
package final class GuestDisk: ByteSource {
    private enum Content {
        case raw(FileDescriptor)
        case qcow2(QCOW2Reader<FileBytes>)
    }

    private let content: Content
    /// In bytes.
    package let size: UInt64

    /// - Parameter file: stays open as long as this is used; its position is moved.
    /// Throws `QCOW2Error` if it is a qcow2 file that cannot be read, and `FileAccessError`.
    package init(_ file: FileDescriptor, isQCOW2: Bool) throws {
        let bytes = try FileBytes(file)
        if isQCOW2 {
            let reader = try QCOW2Reader(bytes)
            content = .qcow2(reader)
            size = reader.size
        } else {
            content = .raw(file)
            size = bytes.size
        }
    }

    package func bytes(at offset: UInt64, count: Int) throws -> ByteFields {
        guard offset < size, count > 0 else { return ByteFields([]) }
        let wanted = Int(min(UInt64(count), size - offset))
        return ByteFields(
            try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
                filled = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
            })
    }

    /// Fills the buffer from `offset` on; what is behind the end of the disk is zero. Returns the bytes of the disk in it.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let found =
            switch content {
            case .raw(let file):
                offset < size
                    ? try Int64(exactly: offset).map { try file.readFully(at: $0, into: buffer) } ?? 0 : 0
            case .qcow2(let reader): try reader.read(at: offset, into: buffer)
            }
        UnsafeMutableRawBufferPointer(rebasing: buffer[found...]).initializeMemory(as: UInt8.self, repeating: 0)
        return found
    }

    /// The parts of the disk that may hold anything but zeroes, in order.
    package func extents() throws -> () throws -> Range<UInt64>? {
        switch content {
        case .raw(let file):
            var extents = try DataExtents(of: file)
            return { try extents.next().map { UInt64($0.lowerBound)..<UInt64($0.upperBound) } }
        case .qcow2(let reader):
            var extents = reader.allocatedExtents()
            return { try extents.next() }
        }
    }
}
