import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import Tooling

/// From a disk to a copy of it that can be cloned, inside a containment: what traps there ends this process and nothing
/// else.
package struct ResetInside: Codable, Sendable {
    static let disk: FilePath = "/mnt/in/disk.raw"
    static let record = "reset.json"
    private static let seed = ["loader", "random-seed"]
    /// The largest page, which the header of a swap area may take.
    private static let swapHeader: Int64 = 65536
    private var result: FilePath { "/mnt/out/disk.raw" }

    var operations: ResetSelection
    var makesHostKeyUnit: Bool

    func run(runner: any CommandRunning, log: @escaping @Sendable (String) -> Void) async throws {
        do {
            let places = try await BlockingWork.run { checkCancellation in
                let places = try choose()
                try SparseFile.copy(from: Self.disk, to: result) { _, _ in try checkCancellation() }
                return places
            }
            var reports: [ResetReport] = []
            for root in places.roots { reports.append(try await reset(root, runner, log)) }
            var report = Self.joined(reports)
            if operations.operations.contains(.randomSeed) {
                for system in places.bootPartitions where try await removeSeed(system, runner) {
                    report.add("/" + Self.seed.joined(separator: "/") + " of the EFI system partition", to: .randomSeed)
                }
            }
            if operations.operations.contains(.swap) {
                for area in places.swapAreas {
                    try await emptySwap(area)
                    report.add("the swap area at byte \(area.bytes.lowerBound)", to: .swap)
                }
            }
            try WholeFile.write(try Canonical.text(report), FilePath("/mnt/out").appending(Self.record))
        } catch let error as Ext4.Failure {
            throw FactoryError(
                .failed, "the root filesystem cannot be reset: \(error.reason)", remedy: "check it with e2fsck -fn")
        } catch let error as FileAccessError {
            throw FactoryError(.inputOutput, "the image cannot be copied: \(error)")
        }
    }

    private struct Places {
        var roots: [SystemRoot]
        var bootPartitions: [SystemRoot]
        var swapAreas: [SystemRoot]
    }

    private func choose() throws -> Places {
        let file = try FileDescriptor.open(Self.disk, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            let disk = try FileBytes(file)
            let roots = try SystemRoot.all(of: disk)
            guard !roots.isEmpty, roots.allSatisfy(\.content.isExt) else {
                let content = roots.first { !$0.content.isExt }?.content.rawValue
                throw FactoryError(
                    .failed,
                    content.map { "the image cannot be reset: \($0) cannot be edited without mounting it" }
                        ?? "the image cannot be reset: it has no filesystem with a Linux system",
                    remedy: content == nil
                        ? nil : "let cloud-init set the image up in the same build: then the guest itself resets it")
            }
            let all = try SystemRoot.filesystems(of: disk)
            return Places(
                roots: roots, bootPartitions: all.filter { $0.content == .vfat },
                swapAreas: all.filter { $0.content == .swap })
        }
    }

    private func reset(
        _ root: SystemRoot, _ runner: any CommandRunning, _ log: @escaping @Sendable (String) -> Void
    ) async throws -> ResetReport {
        let filesystem = SealedFilesystem(disk: result, bytes: root.bytes)
        let isSound = try await BlockingWork.run { _ in try filesystem.unused(on: result) != nil }
        if !isSound { _ = try await filesystem.repair(runner: runner, log: log) }
        let (report, hasQuota) = try await BlockingWork.run { _ in
            try filesystem.edit { editor in
                (
                    try ResetOperations(editor, operations, makesHostKeyUnit: makesHostKeyUnit).run(),
                    editor.hasQuota
                )
            }
        }
        if hasQuota { try await filesystem.correctQuota(runner: runner, log: log) }
        return report
    }

    /// systemd-boot keeps a seed for random numbers beside itself.
    private func removeSeed(_ system: SystemRoot, _ runner: any CommandRunning) async throws -> Bool {
        let isThere = try await BlockingWork.run { _ in
            let file = try FileDescriptor.open(result, .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                try FATFilesystem(try FileBytes(file), at: UInt64(system.bytes.lowerBound))?.find(Self.seed) != nil
            }
        }
        guard isThere else { return false }
        try await runner.runChecked(
            Command(
                "mdel",
                ["-i", "\(result)@@\(system.bytes.lowerBound)", "::" + Self.seed.joined(separator: "/")],
                timeout: .seconds(60)), activity: "removing the boot loader's seed")
        return true
    }

    /// The header stays, with the name by which the system knows the area.
    private func emptySwap(_ area: SystemRoot) async throws {
        let start = area.bytes.lowerBound.addingReportingOverflow(Self.swapHeader).partialValue
        guard start < area.bytes.upperBound else { return }
        try await BlockingWork.run { _ in
            let file = try FileDescriptor.open(result, .readWrite, options: .closeOnExec)
            try file.closeAfter {
                try SparseFile.punch(
                    start..<area.bytes.upperBound, of: file, size: try file.seek(offset: 0, from: .end))
            }
        }
    }

    /// The entries of several systems as those of one.
    private static func joined(_ reports: [ResetReport]) -> ResetReport {
        guard var joined = reports.first else { return ResetReport(operations: []) }
        for report in reports.dropFirst() {
            if let more = report.elsewhere { joined.elsewhere = (joined.elsewhere ?? []) + more }
            for (index, entry) in report.operations.enumerated() where joined.operations.indices.contains(index) {
                joined.operations[index].removed += entry.removed
                joined.operations[index].emptied += entry.emptied
                joined.operations[index].changed += entry.changed
            }
        }
        return joined
    }
}

extension ResetReport {
    fileprivate mutating func add(_ path: String, to operation: ResetOperation) {
        guard let index = operations.firstIndex(where: { $0.name == operation.rawValue }) else { return }
        operations[index].removed.append(path)
    }
}
