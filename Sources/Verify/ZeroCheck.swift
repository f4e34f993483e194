import DiskFormats
import Glibc
import SystemPackage

/// Whether parts of a disk are zero: only what is no hole is read.
enum ZeroCheck {
    private static let block = 4096
    private static let chunk = 1 << 20

    /// How many bytes, in blocks of 4 KiB from the start of each range, are not all zero. The ranges are in order.
    static func used(in ranges: [Range<Int64>], of image: Inspection) throws -> Int64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: block)
        defer { buffer.deallocate() }
        var used: Int64 = 0
        var next = 0
        let extents = image.data
        for range in ranges {
            while next < extents.count, extents[next].upperBound <= range.lowerBound { next += 1 }
            var at = next
            while at < extents.count, extents[at].lowerBound < range.upperBound {
                let part = extents[at].clamped(to: range)
                // Back to where the range's block begins, so that a block is counted once.
                let start = part.lowerBound - (part.lowerBound - range.lowerBound) % Int64(block)
                used += try bytes(in: start..<part.upperBound, image, buffer)
                at += 1
            }
        }
        return used
    }

    private static func bytes(
        in range: Range<Int64>, _ image: Inspection, _ buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int64 {
        var used: Int64 = 0
        var at = range.lowerBound
        while at < range.upperBound {
            let wanted = Int(min(Int64(chunk), range.upperBound - at))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let got = pread(image.file.rawValue, part.baseAddress, wanted, off_t(at))
            guard got > 0 else { throw NotVerifiable(reason: "it cannot be read at byte \(at)") }
            let whole = UnsafeRawBufferPointer(rebasing: part[..<got])
            if !isZero(whole) {
                for start in stride(from: 0, to: got, by: block)
                where !isZero(UnsafeRawBufferPointer(rebasing: whole[start..<min(start + block, got)])) {
                    used += Int64(min(block, got - start))
                }
            }
            at += Int64(got)
        }
        return used
    }

    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
        return bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
    }
}
