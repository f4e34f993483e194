import DiskFormats
import Filesystems
import Model
import SystemPackage

/// A sealed image as the rules see it: read-only, and read once.
final class Inspection {
    let disk: FilePath
    let file: FileDescriptor
    let bytes: FileBytes
    let table: PartitionTable?
    /// Why there is no partition table, where one should be.
    let tableFailure: String?
    /// Every ext filesystem with the byte of the disk at which it begins, the one with the system first.
    let filesystems: [(offset: UInt64, tree: ImageTree)]
    let esp: FATFilesystem<FileBytes>?
    let policy: VerifyPolicy
    let traces: VerifyTraces
    let facts: VerifyFacts
    private(set) lazy var accounts = ImageAccounts(self)
    private(set) lazy var release = lines("/etc/os-release").filter { $0.contains("=") }
    private(set) lazy var data = (try? DataExtents.all(of: file)) ?? []
    private lazy var packages = PackageFiles(self)
    private var matches: [ScanMatch]?

    var tree: ImageTree { filesystems[0].tree }
    var root: Ext4Filesystem { tree.filesystem }

    /// Throws `NotVerifiable` if there is no system in the image.
    init(_ disk: FilePath, policy: VerifyPolicy, traces: VerifyTraces, facts: VerifyFacts) throws {
        self.disk = disk
        self.policy = policy
        self.traces = traces
        self.facts = facts
        file = try FileDescriptor.open(disk, .readOnly, options: .closeOnExec)
        bytes = try FileBytes(file)
        var failure: String?
        do {
            table = try PartitionTable.read(bytes)
        } catch PartitionTableError.noTable {
            table = nil
        } catch let error as PartitionTableError {
            table = nil
            failure = "\(error)"
        }
        tableFailure = failure
        filesystems = try Self.filesystems(disk, table)
        esp = try Self.systemPartition(bytes, table)
    }

    deinit { try? file.close() }

    private static func filesystems(
        _ disk: FilePath, _ table: PartitionTable?
    ) throws -> [(offset: UInt64, tree: ImageTree)] {
        var found: [(offset: UInt64, tree: ImageTree)] = []
        var reasons: [String] = []
        for offset in offsets(table) {
            do {
                let filesystem = try Ext4Filesystem(disk, offset: offset)
                found.append((offset, try ImageTree(filesystem)))
            } catch {
                reasons.append("at byte \(offset): \(error.reason)")
            }
        }
        guard let system = found.firstIndex(where: { $0.tree.find("/etc/passwd") != nil }) else {
            throw NotVerifiable(
                reason: found.isEmpty
                    ? "it has no ext4 filesystem" + (reasons.first.map { " (\($0))" } ?? "")
                    : "none of its filesystems has an /etc/passwd")
        }
        found.swapAt(0, system)
        return found
    }

    /// Where on the disk there are ext filesystems.
    static func filesystemOffsets(_ disk: FilePath) throws -> [UInt64] {
        let file = try FileDescriptor.open(disk, .readOnly, options: .closeOnExec)
        let table = try file.closeAfter { try? PartitionTable.read(file) }
        return offsets(table).filter { (try? Ext4Filesystem(disk, offset: $0)) != nil }
    }

    private static func offsets(_ table: PartitionTable?) -> [UInt64] {
        guard let table else { return [0] }
        return table.partitions.prefix(128).compactMap { partition in
            partition.byteRange(sectorSize: table.sectorSize).map { UInt64($0.lowerBound) }
        }
    }

    private static func systemPartition(
        _ bytes: FileBytes, _ table: PartitionTable?
    ) throws -> FATFilesystem<FileBytes>? {
        let esp = GUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
        for partition in table?.partitions ?? [] {
            let isESP =
                switch partition.kind {
                case .gpt(let type, _, _, _): type == esp
                case .mbr(let type, _): type == 0xef
                }
            if isESP, let range = partition.byteRange(sectorSize: table?.sectorSize ?? 512) {
                return try FATFilesystem(bytes, at: UInt64(range.lowerBound))
            }
        }
        return nil
    }

    /// Whether the definition brings the file of this path.
    func isDeclared(_ path: BytePath) -> Bool { declared.contains(path) }

    /// Whether a private key may be in the file: the definition brings it, or a package does, to everybody.
    func isPublic(_ path: BytePath) -> Bool {
        if isDeclared(path) || path.isInside("/usr/share/doc") { return true }
        return tree.find(path, following: false).map { packages.isUnchanged($0, self) } ?? false
    }

    private lazy var declared = Set(policy.files.map { BytePath($0) })

    /// The lines of a text file that are neither empty nor comments, without the space around them.
    func lines(_ node: ImageTree.Node) -> [String] { Lines.of(tree.bytes(node, limit: 4 << 20) ?? []) }

    func lines(_ path: BytePath) -> [String] { tree.find(path).map(lines) ?? [] }

    /// Whether the image is one of Debian's family.
    var isDebian: Bool {
        let families = release.filter { $0.hasPrefix("ID=") || $0.hasPrefix("ID_LIKE=") }
        return families.contains { $0.contains("debian") || $0.contains("ubuntu") }
    }

    /// What the search of the whole disk found.
    func scanned() throws -> [ScanMatch] {
        if let matches { return matches }
        let found = try DiskScan(self).run()
        matches = found
        return found
    }
}

/// Why an image file has nothing that the rules could be applied to.
package struct NotVerifiable: Error, Hashable, Sendable {
    package var reason: String
}

/// What the machine that built an image could have left in it; no part of any identity.
package struct VerifyTraces: Hashable, Sendable, Codable {
    package var hostName: String?
    /// The folder of whoever built it.
    package var home: String?
    /// Proxies, and archives that the image itself does not use.
    package var addresses: [String]

    package init(hostName: String? = nil, home: String? = nil, addresses: [String] = []) {
        self.hostName = hostName
        self.home = home
        self.addresses = addresses
    }
}

/// What was found out about the image by other means than reading the raw disk.
package struct VerifyFacts: Sendable {
    /// A value that must be nowhere in the image.
    package struct Secret: Hashable, Sendable {
        package var name: String
        package var value: [UInt8]

        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// What is wrong with the format of the file that holds the disk.
    package var container: [String]
    /// What e2fsck says of each filesystem, by its offset: nothing for a sound one.
    package var checks: [UInt64: [String]]
    package var secrets: [Secret]

    package init(container: [String] = [], checks: [UInt64: [String]] = [:], secrets: [Secret] = []) {
        self.container = container
        self.checks = checks
        self.secrets = secrets
    }
}
