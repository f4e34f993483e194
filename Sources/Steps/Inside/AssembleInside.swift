import DiskFormats
import Filesystems
import Glibc
package import Model
import SystemPackage
import Tooling

/// From a tree to a disk: boot files into the tree, partition table, filesystems, boot code.
package struct AssembleInside: Codable, Sendable {
    var action: AssembleAction
    var ids: DiskIdentifiers
    var trees: String

    private var disk: FilePath { "/mnt/out/disk.raw" }

    func run(runner: any CommandRunning, log: @escaping @Sendable (String) -> Void) async throws {
        let path = try await TreeArchive.unpack("/mnt/tree.tar", in: trees, runner: runner)
        let tree = try TreeRoot(path)
        let commands = TreeCommands(tree: path, epoch: action.epoch, runner: runner, log: log)
        let boot = BootFiles(action: action, ids: ids, tree: tree, commands: commands)
        try await boot.write()
        let needs = try TreeMeasure.needs(of: path)
        let geometry = try DiskGeometry(action.layout, needed: needs.least)
        log("the tree has \(needs.data) in \(needs.inodes) files; the disk has \(geometry.disk)")
        try makeDisk(geometry.disk)
        let tools = DiskTools(
            disk: disk, scratch: FilePath(trees), ids: ids, epoch: action.epoch, runner: runner, log: log)
        try await tools.writeTable(geometry, action.layout)
        try await tools.makeRoot(of: path, geometry.root, needs)
        do {
            try Ext4.settleTimes(disk, offset: geometry.root.offset.bytes, epoch: action.epoch)
        } catch {
            throw FactoryError(.failed, "cannot set the times of the root filesystem: \(error.reason)")
        }
        if let esp = geometry.esp { try await tools.makeESP(at: esp, loader: boot.efiLoader) }
        if action.layout.firmware != .uefi { try embedBootCode(tree, geometry) }
        try WholeFile.write(
            try Canonical.text(DiskRecord(geometry: geometry, ids: ids, table: action.layout.table)),
            "/mnt/out/layout.json")
    }

    private func makeDisk(_ size: ByteCount) throws {
        let file = try FileDescriptor.open(
            disk, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        try file.closeAfter {
            guard ftruncate(file.rawValue, off_t(size.bytes)) == 0 else {
                throw FactoryError(
                    .inputOutput, "cannot make a disk of \(size): \(Errno(rawValue: errno))",
                    remedy: "choose a smaller disk.size, or another filesystem for the store")
            }
        }
    }

    private func embedBootCode(_ tree: TreeRoot, _ geometry: DiskGeometry) throws {
        guard let boot = try tree.read("/boot/grub/i386-pc/boot.img"),
            let core = try tree.read("/boot/grub/i386-pc/core.img")
        else { throw FactoryError(.internal, "the tree has no boot images") }
        let first = geometry.bios?.firstSector ?? 1
        let room = geometry.bios?.sectors ?? (geometry.esp ?? geometry.root).firstSector - 1
        let file = try FileDescriptor.open(disk, .readWrite, options: .closeOnExec)
        try file.closeAfter {
            try BIOSBootCode.install(
                bootImage: boot, coreImage: core, coreLBA: first, capacity: room, descriptor: file)
        }
    }
}

/// What the manifest and tests want to know of a disk.
package struct DiskRecord: Hashable, Sendable, Codable {
    package var geometry: DiskGeometry
    package var ids: DiskIdentifiers
    package var table: DiskLayout.Table
}
