import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage

/// Tells whether an installer has left a disk that can boot: a sound partition table, and boot code where the firmware
/// looks for it.
package struct InstalledDiskInside: Codable, Sendable {
    static let disk: FilePath = "/mnt/disk.raw"
    private static let systemPartition = GUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B")

    var firmware: DiskLayout.Firmware

    func run() throws {
        let file = try FileDescriptor.open(Self.disk, .readOnly, options: [.closeOnExec, .nonBlocking])
        try file.closeAfter {
            if let problem = try problem(of: FileBytes(file)) { throw FactoryError(.failed, problem) }
        }
    }

    /// What keeps the disk from being one that boots; nil if nothing does.
    func problem(of disk: some ByteSource) throws -> String? {
        let table: PartitionTable
        do {
            table = try PartitionTable.read(disk)
        } catch let error as PartitionTableError {
            return "it switched itself off and left no system: \(error)"
        }
        guard !table.partitions.isEmpty else { return "it switched itself off and left a disk without partitions" }
        if let problem = table.problems.first { return "it left a damaged partition table: \(problem)" }
        let hasCode = try disk.bytes(at: 0, count: 440).content.contains { $0 != 0 }
        switch firmware {
        case .bios: return hasCode ? nil : "it switched itself off and left a disk without boot code"
        case .uefi: return try hasLoader(table, disk) ? nil : "it left a disk without a boot loader for UEFI"
        case .both:
            return try hasCode || hasLoader(table, disk)
                ? nil : "it switched itself off and left a disk without boot code"
        }
    }

    private func hasLoader(_ table: PartitionTable, _ disk: some ByteSource) throws -> Bool {
        for partition in table.partitions {
            let isSystem =
                switch partition.kind {
                case .gpt(let type, _, _, _): type == Self.systemPartition
                case .mbr(let type, _): type == 0xef
                }
            guard isSystem, let start = partition.byteRange(sectorSize: table.sectorSize)?.lowerBound,
                let filesystem = try FATFilesystem(disk, at: UInt64(start))
            else { continue }
            if try filesystem.find(["EFI"])?.isFolder == true { return true }
        }
        return false
    }
}
