import DiskFormats
package import Engine
import Glibc
package import Model
import SystemPackage
import Tooling

/// Removes an installer's traces and free space from the disk in a step's output folder, without mounting it: the program
/// itself does it inside a containment without network and with limits, since an installed disk holds whatever a mirror
/// and an installer wrote.
///
/// It is done where the disk lies, before it becomes a result and so cannot be changed any more (decision 0017).
package struct InstalledDiskSealing {
    private let environment: StepEnvironment

    package init(_ environment: StepEnvironment) { self.environment = environment }

    package func run(in context: StepContext) async throws {
        try Containment.handOver(context.output.appending(InstallStep.disk))
        var work = try ContainedWork(onFilesOf: context)
        work.limit(.init(addressSpace: .gibi(8), processorTime: .seconds(1800)))
        try await InsideProgram.run(
            .seal(SealInside()), work: work, environment: environment, context: context,
            untrusted: "the installed disk")
    }
}

/// Holds an installed disk against the definition's rule for partitions, and makes it the image's. What was done to it, the
/// installation has recorded beside it.
struct SealStep {
    let action: SealAction

    func run(in context: StepContext) async throws {
        let disk = try context.input("disk")
        let installation = disk.removingLastComponent()
        var record = try Canonical.decode(
            SealRecord.self, from: try WholeFile.bytes(installation.appending(SealInside.record)))
        let root = try PartitionChoice.only(
            by: action.partitions, of: record.partitions, isLinux: { $0.signature?.isLinux == true }, text: \.text)
        (record.root, record.filesystem) = (root.number, root.filesystem)
        for warning in record.warnings { context.report.warn(warning) }
        for path in record.removed { context.report.log("removed \(path)") }
        context.report.log("\(record.freed) of the disk's data were of no use and are free")
        try await take(disk, as: InstallStep.disk, context)
        try await take(installation.appending(SealInside.logs), as: SealInside.logs, context)
        try WholeFile.write(try Canonical.text(record), context.output.appending(SealInside.record))
    }

    /// Results never change, so two of them may be one file.
    private func take(_ file: FilePath, as name: String, _ context: StepContext) async throws {
        let target = context.output.appending(name)
        if link(file.string, target.string) == 0 { return }
        do {
            try await BlockingWork.run { checkCancellation in
                _ = try SparseFile.copy(from: file, to: target) { _, _ in try checkCancellation() }
            }
        } catch let error as FileAccessError {
            throw FactoryError(.inputOutput, "the installed disk cannot be copied: \(error)")
        }
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

        var signature: FilesystemSignature? { filesystem.flatMap(FilesystemSignature.init) }

        /// For messages: `2 ext4`.
        var text: String { "\(number) \(filesystem ?? "unknown")" }
    }

    package var partitions: [PartitionEntry]
    /// The number of the partition with the system; nil until the rule has told it.
    package var root: Int?
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
                "the installer's logs and free space stay in partition \(root ?? 0): \(reason ?? "it is unknown"); "
                    + "let the installation remove the logs and run fstrim at its end")
        }
        for partition in partitions where partition.filesystem == "swap" {
            lines.append("partition \(partition.number) is swap space: an image is better without")
        }
        return lines
    }
}
