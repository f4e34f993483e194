import DiskFormats
import Model

/// Finds the partition with the system by the rule of the definition.
struct PartitionChoice {
    /// A partition, where it lies and what it holds.
    struct Candidate: Hashable {
        var partition: Partition
        var bytes: Range<Int64>
        var content: FilesystemSignature?

        /// For messages: `2 ext4`.
        var text: String { "\(partition.number) \(content?.rawValue ?? "unknown")" }
    }

    let candidates: [Candidate]

    /// Reads the table and the first bytes of each partition.
    init(_ disk: some ByteSource) throws {
        let table: PartitionTable
        do {
            table = try PartitionTable.read(disk)
        } catch let error as PartitionTableError {
            throw Self.unreadable("\(error)")
        }
        candidates = try table.partitions.map { partition in
            guard let bytes = partition.byteRange(sectorSize: table.sectorSize), bytes.upperBound <= disk.size else {
                throw Self.unreadable("partition \(partition.number) is not inside of it")
            }
            return Candidate(
                partition: partition, bytes: bytes,
                content: try FilesystemSignature.recognize(disk, at: bytes.lowerBound))
        }
        let overlaps = table.problems.contains { if case .overlap = $0 { true } else { false } }
        if overlaps { throw Self.unreadable("its partitions overlap") }
    }

    /// The one with the system. Throws what is there instead of exactly one.
    func root(by rule: Netinstall.PartitionRule) throws -> Candidate {
        try Self.only(by: rule, of: candidates, isLinux: { $0.content?.isLinux == true }, text: \.text)
    }

    /// The one of many that the rule allows. `text` is for the message where there are none or several.
    static func only<Entry>(
        by rule: Netinstall.PartitionRule, of candidates: [Entry], isLinux: (Entry) -> Bool, text: (Entry) -> String
    ) throws -> Entry {
        let found: [Entry]
        let kind: String
        let remedy: String
        switch rule {
        case .strict:
            (found, kind) = (candidates, "")
            remedy = "let the answer file make one partition, or set partitions = linux"
        case .linux:
            (found, kind) = (candidates.filter(isLinux), " with a Linux filesystem")
            remedy = "let the answer file make one filesystem for everything"
        }
        if let first = found.first, found.count == 1 { return first }
        let list = found.map(text).joined(separator: ", ")
        throw FactoryError(
            .failed,
            "Expected exactly one partition\(kind) in the installed disk, but found "
                + (found.isEmpty ? "no partitions." : "\(found.count) partitions (\(list))."),
            remedy: remedy)
    }

    private static func unreadable(_ reason: String) -> FactoryError {
        FactoryError(
            .failed, "Failed to read the disk: \(reason). Maybe the disk is still empty?",
            remedy: "read the installer's log: the installation may have ended early")
    }
}
