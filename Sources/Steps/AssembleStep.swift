import Engine
package import Model
import SystemPackage
import Tooling

/// Makes a bootable disk of a tree, without root, mounts or loop devices.
struct AssembleStep {
    let action: AssembleAction
    /// Where every id of the disk comes from: the step's identity.
    let seed: Digest
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        var work = try ContainedWork(context, network: .none)
        work.bind(try context.input("tree"), "/mnt/tree.tar")
        let inside = AssembleInside(action: action, ids: DiskIdentifiers(seed: seed), trees: work.trees)
        try await InsideProgram.run(.assemble(inside), work: work, environment: environment, context: context)
    }
}

/// The ids of a disk, its partitions and filesystems, all from one digest.
package struct DiskIdentifiers: Hashable, Sendable, Codable {
    package var disk: String
    package var biosPartition: String
    package var espPartition: String
    package var rootPartition: String
    package var rootFilesystem: String
    package var hashSeed: String
    /// Of an MBR: 8 hexadecimal digits.
    package var diskSignature: String
    /// Of a FAT: 8 hexadecimal digits.
    package var espVolume: String

    package init(seed: Digest) {
        disk = seed.derived("disk").uuid
        biosPartition = seed.derived("partition bios").uuid
        espPartition = seed.derived("partition esp").uuid
        rootPartition = seed.derived("partition root").uuid
        rootFilesystem = seed.derived("filesystem root").uuid
        hashSeed = seed.derived("hash seed").uuid
        diskSignature = String(seed.derived("disk signature").hex.prefix(8))
        espVolume = String(seed.derived("filesystem esp").hex.prefix(8))
    }

    /// The ESP's id as Linux shows it: `1234-ABCD`.
    package var espUUID: String {
        let digits = espVolume.uppercased()
        return digits.prefix(4) + "-" + digits.suffix(4)
    }
}
