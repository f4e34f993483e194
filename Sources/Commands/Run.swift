import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Boot an image on a throw-away overlay, with its console in this terminal.",
        discussion: "The image is not changed. ssh is forwarded from a free port; the guest reaches no network.")

    @Argument(help: "A raw or qcow2 image.")
    var image: String

    @Option(help: "The firmware: bios or uefi.")
    var firmware = Factory.RunFirmware.bios

    @Option(name: .shortAndLong, help: "The guest's memory.")
    var memory = ByteCount.gibi(1)

    @Option(help: "An ISO or FAT image with cloud-init's data (NoCloud).")
    var seed: String?

    func run() async throws {
        let (image, firmware, memory, seed) = (FilePath(image), firmware, memory, seed.map { FilePath($0) })
        try await Session.run {
            try await Host.factory().run(image, firmware: firmware, memory: memory, seed: seed) { Session.note($0) }
        }
    }
}

extension Factory.RunFirmware: ExpressibleByArgument {}
