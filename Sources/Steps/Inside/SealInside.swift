import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import Tooling

/// From an installed disk to one that is fit to be an image, inside a containment: what traps there ends this process and
/// nothing else.
package struct SealInside: Codable, Sendable {
    var partitions: Netinstall.PartitionRule

    static let disk: FilePath = "/mnt/in/disk.raw"
    static let record = "seal.json"
    static let logs = "installer-logs.txt"
    private var result: FilePath { "/mnt/out/disk.raw" }
    private var folder: FilePath { "/mnt/out" }

    typealias Progress = @Sendable (_ done: Int64, _ total: Int64) -> Void

    func run(
        runner: any CommandRunning, log: @escaping @Sendable (String) -> Void, progress: @escaping Progress
    ) async throws {
        do {
            let chosen = try await BlockingWork.run { _ in try choose() }
            var record = chosen.record
            var logs = ""
            if chosen.root.content?.isExt == true {
                let filesystem = SealedFilesystem(disk: result, bytes: chosen.root.bytes)
                let isSound = try await copy {
                    try filesystem.unused(on: Self.disk)
                } progress: {
                    progress($0, $1)
                }
                if !isSound { record.wasRepaired = try await filesystem.repair(runner: runner, log: log) }
                let edit = try await BlockingWork.run { _ in try filesystem.removeTraces() }
                if edit.hasQuota { try await filesystem.correctQuota(runner: runner, log: log) }
                (logs, record.logs, record.removed, record.compacted) = (edit.text, edit.logs, edit.removed, true)
            } else {
                _ = try await copy {
                    ByteRanges()
                } progress: {
                    progress($0, $1)
                }
                record.reason = Self.reason(chosen.root.content)
            }
            record.freed = try await BlockingWork.run { _ in try freed() }
            try WholeFile.write(logs, folder.appending(Self.logs))
            try WholeFile.write(try Canonical.text(record), folder.appending(Self.record))
        } catch let error as Ext4.Failure {
            throw FactoryError(
                .failed, "the root filesystem of the installed disk cannot be edited: \(error.reason)",
                remedy: "check it with e2fsck -fn; the installation may have ended early")
        } catch let error as FileAccessError {
            throw FactoryError(.inputOutput, "the installed disk cannot be copied: \(error)")
        }
    }

    private static func reason(_ content: FilesystemSignature?) -> String {
        content.map { "\($0.rawValue) cannot be edited without mounting it" } ?? "its filesystem is unknown"
    }

    private func choose() throws -> (root: PartitionChoice.Candidate, record: SealRecord) {
        let file = try FileDescriptor.open(Self.disk, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            let choice = try PartitionChoice(FileBytes(file))
            let root = try choice.root(by: partitions)
            let entries = choice.candidates.map {
                SealRecord.PartitionEntry(
                    number: $0.partition.number, start: UInt64($0.bytes.lowerBound),
                    size: ByteCount(UInt64($0.bytes.count)), filesystem: $0.content?.rawValue)
            }
            return (
                root,
                SealRecord(
                    partitions: entries, root: root.partition.number, filesystem: root.content?.rawValue,
                    compacted: false)
            )
        }
    }

    /// Copies the disk without what `unused` says, which is nil if that cannot be told yet; returns whether it could.
    private func copy(
        unused: @escaping @Sendable () throws -> ByteRanges?, progress: @escaping Progress
    ) async throws -> Bool {
        try await BlockingWork.run { checkCancellation in
            let unused = try unused()
            let source = try FileDescriptor.open(Self.disk, .readOnly, options: .closeOnExec)
            try source.closeAfter {
                let target = try FileDescriptor.open(
                    result, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
                    permissions: .ownerReadWrite)
                try target.closeAfter {
                    var told: Int64 = -1
                    _ = try SparseFile.copy(from: source, to: target, leavingOut: unused ?? ByteRanges()) {
                        try checkCancellation()
                        let hundredths = $1 == 0 ? 100 : $0 / max(1, $1 / 100)
                        if hundredths != told { progress($0, $1) }
                        told = hundredths
                    }
                }
            }
            return unused != nil
        }
    }

    /// How much less data the result has.
    private func freed() throws -> ByteCount {
        let sizes = try [Self.disk, result].map { path in
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            return try file.closeAfter { ByteRanges(try DataExtents.all(of: file)).count }
        }
        return ByteCount(UInt64(max(0, sizes[0] - sizes[1])))
    }
}

/// The filesystem with the system, in the copy of the disk.
struct SealedFilesystem: Sendable {
    /// The copy.
    let disk: FilePath
    /// The partition.
    let bytes: Range<Int64>

    /// What was removed from it, and what it said.
    struct Edit: Sendable {
        var text: String
        var logs: [String]
        var removed: [String]
        var hasQuota: Bool
    }

    private var offset: UInt64 { UInt64(bytes.lowerBound) }

    /// The bytes of the original disk that need not be copied; nil if e2fsck has to look first.
    func unused(on original: FilePath) throws -> ByteRanges? {
        let filesystem = try Ext4Filesystem(original, offset: offset)
        try requireFit(filesystem)
        return filesystem.wantsCheck ? nil : try ranges(filesystem)
    }

    /// Replays the journal and removes files that were deleted while they were open. The partition is a file of its own
    /// meanwhile: e2fsck 1.47.0 forgets the offset when it opens a filesystem again behind the replay.
    func repair(runner: any CommandRunning, log: @escaping @Sendable (String) -> Void) async throws -> Bool {
        let part = disk.removingLastComponent().appending("root.part")
        try await BlockingWork.run { _ in
            let source = try FileDescriptor.open(disk, .readOnly, options: .closeOnExec)
            try source.closeAfter {
                let target = try FileDescriptor.open(
                    part, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
                    permissions: .ownerReadWrite)
                try target.closeAfter { try SparseFile.extract(bytes, of: source, to: target) }
            }
        }
        try await check(["-p", part.string], runner, log)
        try await BlockingWork.run { _ in
            let source = try FileDescriptor.open(part, .readOnly, options: .closeOnExec)
            try source.closeAfter {
                let target = try FileDescriptor.open(disk, .readWrite, options: .closeOnExec)
                try target.closeAfter { try SparseFile.place(source, into: target, at: bytes.lowerBound) }
            }
        }
        _ = part.withPlatformString { unlink($0) }
        return true
    }

    /// Counts anew what users have.
    func correctQuota(runner: any CommandRunning, log: @escaping @Sendable (String) -> Void) async throws {
        try await check(["-f", "-p", "\(disk)?offset=\(offset)"], runner, log)
    }

    private func check(
        _ arguments: [String], _ runner: any CommandRunning, _ log: @escaping @Sendable (String) -> Void
    ) async throws {
        let command = Command("e2fsck", arguments, timeout: .seconds(1200))
        let result = try await runner.run(command) { _, line in log(line) }
        // 1: it corrected something.
        guard result.ending == .exited(0) || result.ending == .exited(1) else {
            throw FactoryError(
                .failed,
                "the root filesystem of the disk is damaged: "
                    + (result.reason ?? "e2fsck ended with \(result.ending)"),
                remedy: "read the log of the guest that wrote it: it has to unmount what it wrote")
        }
    }

    /// Removes the installer's traces, and makes holes of all that holds nothing.
    func removeTraces() throws -> Edit {
        try edit { editor in
            let traces = InstallerTraces(editor: editor)
            let (text, logs) = try traces.collect()
            return Edit(text: text, logs: logs, removed: try traces.remove(), hasQuota: editor.hasQuota)
        }
    }

    /// Changes the filesystem, and makes holes of all that holds nothing then.
    func edit<Value>(_ body: (Ext4Editor) throws -> Value) throws -> Value {
        let editor = try Ext4Editor(disk, offset: offset)
        try requireFit(editor.filesystem)
        let value = try body(editor)
        try editor.flush()
        let file = try FileDescriptor.open(disk, .readWrite, options: .closeOnExec)
        _ = try file.closeAfter { try SparseFile.free(try ranges(editor.filesystem), of: file) }
        return value
    }

    /// A superblock may say what it likes: what is outside of the partition is not its own.
    private func requireFit(_ filesystem: Ext4Filesystem) throws(Ext4.Failure) {
        let facts = filesystem.facts
        let (size, overflow) = facts.blocks.multipliedReportingOverflow(by: facts.blockSize)
        guard !overflow, size <= UInt64(bytes.count) else {
            throw Ext4.Failure(reason: "it is larger than its partition")
        }
    }

    private func ranges(_ filesystem: Ext4Filesystem) throws -> ByteRanges {
        ByteRanges(
            try filesystem.unusedRanges().compactMap { range in
                guard range.upperBound <= UInt64(bytes.count) else { return nil }
                return bytes.lowerBound + Int64(range.lowerBound)..<bytes.lowerBound + Int64(range.upperBound)
            })
    }
}
