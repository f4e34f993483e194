import Glibc
import Model
import SystemPackage
import Tooling

/// What the bytes of a file are, found in one pass.
struct Content: Sendable {
    var digest: Digest
    var size: UInt64
    /// Of each value asked for, in that order, the digits that the file really has; nil where the file is shorter than
    /// the value's `first` bytes.
    var found: [String?]

    /// Reads a file on a thread of its own, and writes it to another one on the way if asked.
    static func read(
        _ path: FilePath, values: [Checksum.Value] = [], copyingTo target: FilePath? = nil,
        progress: @escaping @Sendable (UInt64, UInt64?) -> Void = { _, _ in }
    ) async throws -> Content {
        try await BlockingWork.run { checkCancellation in
            do {
                let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
                return try file.closeAfter {
                    let copy = try target.map {
                        try FileDescriptor.open(
                            $0, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                            permissions: .ownerReadWrite)
                    }
                    defer { try? copy?.close() }
                    return try read(file, values, to: copy) { received in
                        try checkCancellation()
                        progress(received, nil)
                    }
                }
            } catch let error as Errno {
                throw FileFailure.error(error, "read", path, code: .missingInput)
            }
        }
    }

    private static func read(
        _ file: FileDescriptor, _ values: [Checksum.Value], to copy: FileDescriptor?,
        _ progress: (UInt64) throws -> Void
    ) throws -> Content {
        var whole = HashAlgorithm.sha256.start()
        var hashes = values.map { $0.algorithm.start() }
        var size: UInt64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            whole.update(bytes)
            for (index, value) in values.enumerated() where value.digest == nil {
                let left = value.first.map { $0.bytes > size ? $0.bytes - size : 0 } ?? UInt64(count)
                hashes[index].update(UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(min(left, UInt64(count))))))
            }
            try copy?.writeAll(bytes)
            size += UInt64(count)
            try progress(size)
        }
        guard let digest = Digest(Hexadecimal.string(whole.finish())) else { throw Errno.ioError }
        var found: [String?] = []
        for (index, value) in values.enumerated() {
            if value.digest != nil {
                found.append(digest.hex)
            } else {
                let digits = Hexadecimal.string(hashes[index].finish())
                found.append(size < value.first?.bytes ?? 0 ? nil : digits)
            }
        }
        return Content(digest: digest, size: size, found: found)
    }

    /// Throws where a value is another one than expected.
    func check(_ values: [Checksum.Value], of source: String) throws {
        for (value, digits) in zip(values, found) {
            let what = value.first.map { "of the first \($0.bytes) bytes of" } ?? "of"
            guard let digits else {
                throw FactoryError(
                    .failed, "\(source) has only \(size) bytes, fewer than its checksum is of",
                    remedy: "check the checksum and the source")
            }
            guard digits == value.digits else {
                throw FactoryError(
                    .failed, "the \(value.algorithm.title) \(what) \(source) is \(digits), not \(value.digits)",
                    remedy: "check the checksum and the source: one of them is old, damaged or forged")
            }
        }
    }
}
