import Glibc
import Model
import Steps
import Store
package import SystemPackage
import Tooling
import Transfer

extension Factory {
    /// Takes an image that is in place to targets of rsync, in their order, if it agrees with its checksum.
    package func deliver(
        _ image: FilePath, to targets: [String], arguments: [String],
        note: @escaping @Sendable (String) -> Void
    ) async throws {
        try tools.require(.rsync)
        let checksum = FilePath(image.string + ".sha256sum")
        try await requireAgreement(of: image, with: checksum)
        try await Uploader(runner: runner, environment: environment).upload(
            PublishedImage(file: image.string, checksum: checksum.string),
            to: targets.map { UploadDestination(name: $0, target: $0, arguments: arguments) },
            report: TransferReport(note: note, warn: note))
    }

    private func requireAgreement(of image: FilePath, with checksum: FilePath) async throws {
        for path in [image, checksum] where access(path.string, R_OK) != 0 {
            throw FactoryError(
                .missingInput, "cannot read \(path): \(Errno(rawValue: errno))",
                remedy: "give an image that a build has left, with its checksum beside it")
        }
        let digest = try await FileDigest.compute(image)
        let expected = "\(digest.hex)  \(image.lastComponent?.string ?? "")\n"
        guard try DurableFile.read(checksum, limit: 4096) == Array(expected.utf8) else {
            throw FactoryError(
                .inputOutput, "\(image) is not what \(checksum) says", remedy: "build it again; nothing was uploaded")
        }
    }
}
