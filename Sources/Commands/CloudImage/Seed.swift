import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Seed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a seed for cloud-init (NoCloud): a small disk with user-data and what belongs to it.",
        discussion: """
            Attach it to a machine as a disk. cloud-init finds it by the volume's label and the names in it, whatever the \
            files are called here. Without meta-data there is an instance-id that no other seed has.
            """)

    @Argument(help: "The file for the seed; '-' is standard output.")
    var output: String

    @Argument(help: "cloud-init's user-data; '-' is standard input.")
    var userData: String

    @Option(help: "cloud-init's meta-data.")
    var metaData: String?

    @Option(help: "cloud-init's vendor-data.")
    var vendorData: String?

    @Option(help: "cloud-init's network-config.")
    var networkConfig: String?

    @Option(help: "ISO 9660 with the names of Joliet and Rock Ridge, or FAT.")
    var format = SeedImage.Format.iso

    @Option(help: "Which instance it is: cloud-init sets a machine up anew if this changes.")
    var instanceID: String?

    @Option(help: "The name of the host.")
    var hostname: String?

    func validate() throws {
        guard metaData == nil || (instanceID == nil && hostname == nil) else {
            throw ValidationError("--meta-data excludes --instance-id and --hostname: write them into that file")
        }
    }

    func run() async throws {
        var files = [SeedFile.Kind.userData: userData == "-" ? "/dev/stdin" : userData]
        files[.metaData] = metaData
        files[.vendorData] = vendorData
        files[.networkConfig] = networkConfig
        let seed = SeedImage(
            files: files.mapValues { FilePath($0) }, format: format,
            metaData: .init(instance: instanceID, hostname: hostname))
        let output = output
        try await Session.run {
            do {
                let bytes = try await SeedOutput.bytes(seed)
                try SeedOutput.write(bytes, to: output, from: Array(seed.files.values))
            } catch let error as SeedImage.Unreadable {
                throw FactoryError(
                    .missingInput, "cannot read \(error.kind.rawValue) from \(error.path): \(error.reason)",
                    remedy: "check the path")
            }
        }
    }
}

extension SeedImage.Format: ExpressibleByArgument {}

/// Where seeds go.
enum SeedOutput {
    /// Of a seed whose relative paths start at the current folder. What is suspicious is told on standard error.
    static func bytes(_ seed: SeedImage) async throws -> [UInt8] {
        let folder = FilePath(try WorkingFolder.path())
        var seed = seed
        seed.files = seed.files.mapValues { folder.pushing($0) }
        return try await seed.bytes(runner: Host.factory().runner) { Session.note($0.description) }
    }

    /// To a file, whole or not at all, or to standard output if its name is `-`.
    ///
    /// - Parameter sources: what it was made of: who may read them all may read the seed.
    static func write(_ bytes: [UInt8], to output: String, from sources: [FilePath]) throws {
        guard output == "-" else {
            return try WholeText.write(
                bytes, to: FilePath(output), permissions: SeedSecrecy.permissions(sources))
        }
        do {
            try FileDescriptor.standardOutput.writeAll(bytes)
        } catch {
            throw FactoryError(.inputOutput, "cannot write to standard output: \(error)")
        }
    }
}
