import DiskFormats
import Glibc
import Model
import SystemPackage
import Tooling

/// The programs that write a disk's parts, each on the plain file.
struct DiskTools {
    let disk: FilePath
    let scratch: FilePath
    let ids: DiskIdentifiers
    let epoch: UInt64
    let runner: any CommandRunning
    let log: @Sendable (String) -> Void

    func writeTable(_ geometry: DiskGeometry, _ layout: DiskLayout) async throws {
        let script = scratch.appending("table.sfdisk")
        try WholeFile.write(tableScript(geometry, layout), script)
        // sfdisk reads its script from standard input only, which a fixed line of shell connects.
        try await run(
            "sh",
            [
                "-c", "exec sfdisk --quiet --no-reread --no-tell-kernel \"$1\" < \"$2\"", "sfdisk", disk.string,
                script.string,
            ],
            activity: "writing the partition table")
    }

    func tableScript(_ geometry: DiskGeometry, _ layout: DiskLayout) -> String {
        switch layout.table {
        case .gpt:
            var script = "label: gpt\nlabel-id: \(ids.disk)\n"
            if let part = geometry.bios {
                script += "start=\(part.firstSector), size=\(part.sectors), uuid=\(ids.biosPartition), "
                script += "type=21686148-6449-6E6F-744E-656564454649, name=bios\n"
            }
            if let part = geometry.esp {
                script += "start=\(part.firstSector), size=\(part.sectors), uuid=\(ids.espPartition), "
                script += "type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp\n"
            }
            script += "start=\(geometry.root.firstSector), size=\(geometry.root.sectors), "
            script += "uuid=\(ids.rootPartition), type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root\n"
            return script
        case .mbr:
            var script = "label: dos\nlabel-id: 0x\(ids.diskSignature)\n"
            if let part = geometry.esp { script += "start=\(part.firstSector), size=\(part.sectors), type=ef\n" }
            script += "start=\(geometry.root.firstSector), size=\(geometry.root.sectors), type=83, bootable\n"
            return script
        }
    }

    func makeRoot(of tree: FilePath, _ part: DiskGeometry.Partition, _ needs: FilesystemNeeds) async throws {
        let configuration = scratch.appending("mke2fs.conf")
        try WholeFile.write(Self.configuration, configuration)
        let journal = FilesystemNeeds.journal(for: part.size)
        try await run(
            "mke2fs",
            [
                "-q", "-F", "-t", "ext4", "-b", "\(FilesystemNeeds.blockSize)", "-I", "\(FilesystemNeeds.inodeSize)",
                "-i", "\(needs.inodeRatio)", "-m", "1", "-J", "size=\(journal.bytes >> 20)", "-U", ids.rootFilesystem,
                "-E", "offset=\(part.offset.bytes),hash_seed=\(ids.hashSeed),root_owner=0:0,lazy_journal_init=0",
                "-d", tree.string, disk.string, "\(part.size.bytes >> 10)k",
            ],
            environment: ["MKE2FS_CONFIG": configuration.string, "E2FSPROGS_FAKE_TIME": "\(epoch)"],
            activity: "making the root filesystem")
    }

    func makeESP(at part: DiskGeometry.Partition, loader: String?) async throws {
        let image = scratch.appending("esp.img")
        let file = try FileDescriptor.open(
            image, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
        try file.closeAfter {
            guard ftruncate(file.rawValue, off_t(part.size.bytes)) == 0 else { throw Errno(rawValue: errno) }
        }
        let time = ["SOURCE_DATE_EPOCH": "\(epoch)"]
        try await run(
            "mkfs.vfat",
            ["-F", "32", "-s", "1", "-i", ids.espVolume, image.string], environment: time,
            activity: "making the ESP")
        // mkfs.vfat gives a label the time of the clock.
        try await run("mlabel", ["-i", image.string, "::ESP"], environment: time, activity: "naming the ESP")
        try await run(
            "mmd", ["-i", image.string, "::EFI", "::EFI/BOOT"], environment: time, activity: "filling the ESP")
        if let loader {
            let source = scratch.appending("tree").string + loader
            try await run(
                "mcopy", ["-i", image.string, source, "::EFI/BOOT/BOOTX64.EFI"], environment: time,
                activity: "filling the ESP")
        }
        let source = try FileDescriptor.open(image, .readOnly, options: .closeOnExec)
        try source.closeAfter {
            let target = try FileDescriptor.open(disk, .readWrite, options: .closeOnExec)
            try target.closeAfter { try SparseFile.place(source, into: target, at: Int64(part.offset.bytes)) }
        }
    }

    private func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        activity: String
    ) async throws {
        let command = Command(program, arguments, environment: environment)
        try await runner.runChecked(command, activity: activity) { _, line in log(line) }
    }

    /// Our own defaults, so that those of the host do not reach the image. Debian 12's GRUB must be able to read it:
    /// no metadata_csum_seed, no orphan_file.
    private static let configuration = """
        [defaults]
            base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
            default_mntopts = acl,user_xattr
            enable_periodic_fsck = 0
            blocksize = 4096
            inode_size = 256
            inode_ratio = 16384
        [fs_types]
            ext4 = {
                features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
            }
            small = {
                blocksize = 4096
            }
            floppy = {
                blocksize = 4096
            }
            big = {
                blocksize = 4096
            }
            huge = {
                blocksize = 4096
            }

        """
}
