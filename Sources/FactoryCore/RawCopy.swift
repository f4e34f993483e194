import Model
import SystemPackage
import Tooling

extension Factory {
    /// The disk of an image file as a raw file with holes in a folder of the caller's, written in a containment with
    /// limits.
    ///
    /// - Parameter driver: QEMU's name of the format; the header was looked at before.
    /// - Parameter purpose: what cannot be done if this fails: "verified".
    func rawCopy(
        of image: FilePath, driver: String, in folder: FilePath, purpose: String,
        _ note: @escaping @Sendable (String) -> Void
    ) async throws -> FilePath {
        try Containment.handOver(folder)
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [
                .init(source: image, target: "/mnt/in/image"),
                .init(source: folder, target: "/mnt/out", writable: true),
            ], limits: .init(addressSpace: .gibi(4), processorTime: .seconds(3600)))
        let command = Command(
            "qemu-img", ["convert", "-f", driver, "-O", "raw", "/mnt/in/image", "/mnt/out/disk.raw"],
            containment: containment)
        do {
            try await runner.runChecked(command, activity: "converting \(image)") { _, line in note(line) }
        } catch let error as FactoryError where error.code == .failed {
            throw FactoryError(
                .definition, "the image cannot be \(purpose): \(error.message)",
                remedy: "it is damaged: get it anew from where it comes from")
        }
        return folder.appending("disk.raw")
    }
}
