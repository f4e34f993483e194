import Glibc

/// Finds the runs of zero and of other blocks in a chunk of a file.
enum ZeroRuns {
    /// The unit of holes: what common filesystems allocate.
    static let blockSize = 4096

    /// Whether all bytes are zero.
    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
        // The first byte is zero and each equals its neighbour: memcmp does it at the speed of memory, in debug too.
        return bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
    }

    /// Calls `body` for each longest run of blocks that are all zero or all not; the last block may be short.
    static func forEach(
        in bytes: UnsafeRawBufferPointer, _ body: (_ run: Range<Int>, _ zero: Bool) throws -> Void
    ) rethrows {
        var start = 0
        var kind = false
        var at = 0
        while at < bytes.count {
            let stop = min(at + blockSize, bytes.count)
            let zero = isZero(UnsafeRawBufferPointer(rebasing: bytes[at..<stop]))
            if at > start, zero != kind {
                try body(start..<at, kind)
                start = at
            }
            kind = zero
            at = stop
        }
        if at > start { try body(start..<at, kind) }
    }
}
