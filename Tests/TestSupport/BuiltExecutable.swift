import Glibc
package import SystemPackage

/// The `image-factory` of the same build as the running tests: it lies beside the test bundle.
package func builtExecutable() -> FilePath {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let bytes = buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
    return FilePath(String(decoding: bytes, as: UTF8.self)).removingLastComponent().appending("image-factory")
}
