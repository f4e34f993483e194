import DiskFormats
import Glibc
import Model
import SystemPackage

/// Reads the header of an image, and prints what it found as JSON. Nothing else runs in its containment.
struct InspectInside {
    /// The exit status where the image was read and is refused.
    static let refused: Int32 = 3

    let image: FilePath

    /// Throws what kept it from reading; returns the reasons to refuse the image, or the facts.
    func run() throws -> Result<ImageFacts, Refusal> {
        // Not blocking: a pipe that took the file's place would never open.
        let file = try FileDescriptor.open(image, .readOnly, options: [.nonBlocking, .closeOnExec, .noFollow])
        return try file.closeAfter {
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
            guard status.st_mode & S_IFMT == S_IFREG else { return .failure(Refusal(reason: "it is no file")) }
            let header = try DiskImageHeader.inspect(file)
            if let hazard = header.hazards.first { return .failure(Refusal(reason: hazard)) }
            guard let driver = header.kind.blockDriver else {
                return .failure(Refusal(reason: "it is compressed (\(header.kind.name)): unpack it first"))
            }
            guard let size = header.virtualSize else {
                return .failure(Refusal(reason: "it is \(header.kind.name) and does not say its size"))
            }
            return .success(
                ImageFacts(
                    format: header.kind.name, driver: driver, virtualSize: ByteCount(size),
                    fileSize: ByteCount(UInt64(max(0, status.st_size)))))
        }
    }

    struct Refusal: Error {
        var reason: String
    }
}
