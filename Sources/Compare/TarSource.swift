import CCompress
import DiskFormats
import Glibc
import SystemPackage

/// An archive cannot be read: `reason` says what is wrong with it.
package struct TarError: Error, Hashable, Sendable, CustomStringConvertible {
    package var reason: String
    package var description: String { reason }
}

/// The bytes of a tar file in order, decompressed if it is a zstd file.
final class TarSource {
    private static let chunkSize = 1 << 18

    private let file: FileDescriptor
    private var place: Int64 = 0
    private let stream: OpaquePointer?
    private var input: [UInt8] = []
    private var inputAt = 0
    private var isFileAtEnd = false
    private var isFrameOpen = false
    private var buffer: [UInt8] = []
    private var at = 0
    /// Bytes of the archive that were read.
    private(set) var position: UInt64 = 0

    init(_ file: FileDescriptor, isZstd: Bool) throws {
        self.file = file
        stream = isZstd ? ccompress_zstd_open() : nil
        if isZstd, stream == nil { throw TarError(reason: "there is no memory to decompress it") }
    }

    deinit { if let stream { ccompress_zstd_close(stream) } }

    /// Calls `body` with the next bytes in pieces; throws if there are fewer.
    func forEach(of count: UInt64, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        var rest = count
        while rest > 0 {
            if at == buffer.count, try !fill() { throw TarError(reason: "it ends in the middle of a member") }
            let part = Int(min(rest, UInt64(buffer.count - at)))
            try body(buffer[at..<at + part])
            at += part
            rest -= UInt64(part)
            position += UInt64(part)
        }
    }

    /// The next bytes, or nil at the end of the archive.
    func next(_ count: Int) throws -> [UInt8]? {
        if at == buffer.count, try !fill() { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        try forEach(of: UInt64(count)) { bytes += $0 }
        return bytes
    }

    /// Whether there is more.
    private func fill() throws -> Bool {
        at = 0
        guard stream != nil else {
            buffer = try readFile()
            return !buffer.isEmpty
        }
        buffer = []
        while buffer.isEmpty {
            if inputAt == input.count {
                (input, inputAt) = (try readFile(), 0)
                if input.isEmpty {
                    if isFrameOpen { throw TarError(reason: "its compressed data end too early") }
                    return false
                }
            }
            try decompress()
        }
        return true
    }

    private func decompress() throws {
        var (taken, put) = (0, 0)
        var result: Int32 = 0
        buffer = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { target, filled in
            input.withUnsafeBytes { source in
                let rest = UnsafeRawBufferPointer(rebasing: source[inputAt...])
                result = ccompress_zstd_read(
                    stream, target.baseAddress, target.count, rest.baseAddress, rest.count, &taken, &put)
            }
            filled = put
        }
        guard result >= 0, taken > 0 || put > 0 else { throw TarError(reason: "its compressed data are damaged") }
        isFrameOpen = result == 1
        inputAt += taken
    }

    private func readFile() throws -> [UInt8] {
        let bytes = try [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { target, filled in
            filled = try file.read(fromAbsoluteOffset: place, into: UnsafeMutableRawBufferPointer(target))
        }
        place += Int64(bytes.count)
        return bytes
    }
}
