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

    /// Calls `body` for each longest run of blocks that are all zero or all not. Blocks are counted from the start of the
    /// file, in which the bytes are at `offset`: the first and the last one may be cut.
    static func forEach(
        in bytes: UnsafeRawBufferPointer, at offset: Int64 = 0, block: Int = blockSize,
        _ body: (_ run: Range<Int>, _ zero: Bool) throws -> Void
    ) rethrows {
        var start = 0
        var kind = false
        var at = 0
        while at < bytes.count {
            let stop = min(at + block - Int((offset + Int64(at)) % Int64(block)), bytes.count)
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
