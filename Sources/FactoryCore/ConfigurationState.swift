import Glibc
import Model
import Steps
import Store
import SystemPackage

/// `IMAGE.configured.json` beside a configured image: what it was made of, so that the same is not done twice.
struct ConfigurationState {
    private struct Record: Codable {
        var format = 1
        /// Of the image as it is there now, and of the one that it was made of.
        var image: Digest
        var input: Digest
        /// Of files and options.
        var key: Digest
        var setup: ConfiguredImage.Setup?
        var reset: [ConfiguredImage.Reset]
        var findings: Int
    }

    private let image: FilePath

    init(_ image: FilePath) { self.image = image }

    private var path: FilePath { FilePath(image.string + ".configured.json") }

    /// What decides the result beside the image itself.
    static func key(_ base: ImageBase, _ format: ImageFormat) throws -> Digest {
        struct Identity: Encodable {
            var setup: CloudSetupAction?
            var reset: ResetAction?
            var format: ImageFormat
            var builder: String
        }
        return try Canonical.digest(
            Identity(
                setup: base.setup.map { CloudSetupAction($0, reset: nil) }, reset: base.reset, format: format,
                builder: ImageFactoryVersion.current))
    }

    /// What was done before, if it is still there: of the same input, or of one that is that very result.
    func kept(_ key: Digest, input: Digest) async throws -> ConfiguredImage? {
        guard let bytes = try? DurableFile.read(path, limit: 4 << 20),
            let record = try? Canonical.decode(Record.self, from: bytes), record.key == key,
            record.input == input || record.image == input, access(image.string, R_OK) == 0
        else { return nil }
        let digest = record.image == input ? input : try await FileDigest.compute(image)
        guard digest == record.image else { return nil }
        return ConfiguredImage(
            image: image, digest: digest, setup: record.setup, reset: record.reset, findings: record.findings,
            wasUpToDate: true)
    }

    func write(_ key: Digest, input: Digest, _ made: ConfiguredImage) throws {
        let record = Record(
            image: made.digest, input: input, key: key, setup: made.setup, reset: made.reset, findings: made.findings)
        try DurableFile.write(Array(try Canonical.text(record).utf8), to: path)
    }
}
