import Engine
package import Model
import SystemPackage
import Tooling

/// Removes an installer's traces and free space from a disk, without mounting it: the program itself does it inside a
/// containment without network and with limits, since an installed disk holds whatever a mirror and an installer wrote.
struct SealStep {
    let action: SealAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        var work = try ContainedWork(onFilesOf: context)
        work.bind(try context.input("disk"), SealInside.disk.string)
        work.limit(.init(addressSpace: .gibi(8), processorTime: .seconds(1800)))
        let inside = SealInside(partitions: action.partitions)
        try await InsideProgram.run(
            .seal(inside), work: work, environment: environment, context: context, untrusted: "the installed disk")
        let record = try Canonical.decode(
            SealRecord.self, from: try WholeFile.bytes(context.output.appending(SealInside.record)))
        for warning in record.warnings { context.report.warn(warning) }
        for path in record.removed { context.report.log("removed \(path)") }
        context.report.log("\(record.freed) of the disk's data were of no use and are free")
    }
}

/// What was done to an installed disk: `seal.json`.
package struct SealRecord: Hashable, Sendable, Codable {
    package struct PartitionEntry: Hashable, Sendable, Codable {
        package var number: Int
        /// Where it begins, in bytes.
        package var start: UInt64
        package var size: ByteCount
        /// What its superblock says; nil if it is blank or unknown.
        package var filesystem: String?
    }

    package var partitions: [PartitionEntry]
    /// The number of the partition with the system.
    package var root: Int
    /// Of the partition with the system; nil if it is blank or unknown.
    package var filesystem: String?
    /// Whether traces and free space were removed from it.
    package var compacted: Bool
    /// Why not.
    package var reason: String?
    /// Whether its journal had to be replayed, or e2fsck to repair something: it was not unmounted.
    package var wasRepaired = false
    /// The files whose content is in `installer-logs.txt`.
    package var logs: [String] = []
    /// What was removed: a folder stands for all that was in it.
    package var removed: [String] = []
    /// Data of the installed disk that is none of this one.
    package var freed = ByteCount(0)

    /// For people.
    var warnings: [String] {
        var lines: [String] = []
        if wasRepaired { lines.append("the installer did not unmount the root filesystem; its journal was replayed") }
        if !compacted {
            lines.append(
                "the installer's logs and free space stay in partition \(root): \(reason ?? "it is unknown"); "
                    + "let the installation remove the logs and run fstrim at its end")
        }
        for partition in partitions where partition.filesystem == "swap" {
            lines.append("partition \(partition.number) is swap space: an image is better without")
        }
        return lines
    }
}
