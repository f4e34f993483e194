package import SystemPackage

/// Why boot code could not be installed.
package enum BIOSBootCodeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The boot image is not one sector that ends with 55 AA.
    case notABootImage
    /// The core image's first sector is not GRUB's loader of the rest.
    case notACoreImage
    /// The core image does not fit.
    case coreTooLarge(sectors: UInt64, capacity: UInt64)
    /// The core image would lie on the MBR, or beyond what 64 bits or the disk can hold.
    case badCorePlace(lba: UInt64)
    /// The disk has no MBR to keep the partition table of.
    case noPartitionTable

    package var description: String {
        switch self {
        case .notABootImage: "GRUB's boot image is not a boot sector"
        case .notACoreImage: "GRUB's core image does not begin with its disk loader"
        case .coreTooLarge(let sectors, let capacity):
            "GRUB's core image needs \(sectors) sectors and has \(capacity)"
        case .badCorePlace(let lba): "GRUB's core image cannot stand at sector \(lba) of this disk"
        case .noPartitionTable: "the disk has no partition table: boot code would be alone there"
        }
    }
}

/// GRUB for BIOS on a disk image: what grub-bios-setup does to a disk, on its bytes.
///
///     LBA 0     boot.img     0x05c  LBA of the core image, u64 LE
///                            0x064  boot drive: ff = the one the BIOS started from
///                            0x066  90 90 (no operation) in place of a jump: the drive number is checked and mended
///                            0x1b8  the disk's own bytes: signature, partition table, 55 AA
///     core LBA  diskboot.img 0x1f4  LBA of the next sector u64, sectors after this one u16, segment u16 (0x0820)
///               and the rest of the core image, padded to a sector
///
/// Source: GRUB 2.06, util/setup.c and include/grub/i386/pc/boot.h. Its Reed-Solomon redundancy is left out: a core
/// image in a partition of its own is overwritten by nobody.
package enum BIOSBootCode {
    private static let sectorSize = 512
    private static let tableOffset = 0x1b8
    private static let blockList = 0x1f4
    private static let loadSegment: [UInt8] = [0x20, 0x08]

    /// The disk's new first sector: the boot image with the core's place, and the old sector's partition table.
    package static func bootSector(
        bootImage: [UInt8], coreLBA: UInt64, existing: [UInt8]
    ) throws(BIOSBootCodeError) -> [UInt8] {
        guard bootImage.count == sectorSize, bootImage.suffix(2) == [0x55, 0xaa] else { throw .notABootImage }
        guard existing.count == sectorSize, existing.suffix(2) == [0x55, 0xaa] else { throw .noPartitionTable }
        guard coreLBA > 0 else { throw .badCorePlace(lba: coreLBA) }
        var sector = bootImage
        sector.replaceSubrange(0x5c..<0x64, with: little(coreLBA))
        sector[0x64] = 0xff
        sector.replaceSubrange(0x66..<0x68, with: [0x90, 0x90])
        sector.replaceSubrange(tableOffset..., with: existing[tableOffset...])
        return sector
    }

    /// The core image as it stands on the disk: with the place of its own sectors, padded with zeroes to whole ones.
    ///
    /// `capacity` is the number of sectors of its partition.
    package static func core(
        image: [UInt8], at lba: UInt64, capacity: UInt64
    ) throws(BIOSBootCodeError) -> [UInt8] {
        guard image.count > sectorSize, image[(blockList + 10)..<sectorSize].elementsEqual(loadSegment) else {
            throw .notACoreImage
        }
        let sectors = (image.count + sectorSize - 1) / sectorSize
        guard UInt64(sectors) <= capacity, let rest = UInt16(exactly: sectors - 1) else {
            throw .coreTooLarge(sectors: UInt64(sectors), capacity: min(capacity, 65536))
        }
        guard lba > 0, lba < UInt64.max else { throw .badCorePlace(lba: lba) }
        var core = image + [UInt8](repeating: 0, count: sectors * sectorSize - image.count)
        core.replaceSubrange(blockList..<sectorSize, with: little(lba + 1) + little(rest) + loadSegment)
        return core
    }

    /// Installs boot and core image on a disk image that has its partition table already.
    ///
    /// `coreLBA` and `sectors` are start and size of the BIOS boot partition in sectors of 512 bytes. The core image is
    /// written first, so that a boot sector never leads to what is not there. Throws `BIOSBootCodeError` before anything
    /// is written, or `FileAccessError`.
    package static func install(
        bootImage: [UInt8], coreImage: [UInt8], coreLBA: UInt64, capacity sectors: UInt64, descriptor: FileDescriptor
    ) throws {
        let disk = try FileBytes(descriptor)
        let core = try core(image: coreImage, at: coreLBA, capacity: sectors)
        let existing = try disk.bytes(at: 0, count: sectorSize).content
        let boot = try bootSector(bootImage: bootImage, coreLBA: coreLBA, existing: existing)
        guard let start = product(coreLBA, UInt64(sectorSize)),
            let end = product(coreLBA, UInt64(sectorSize), plus: UInt64(core.count)), end <= disk.size
        else { throw BIOSBootCodeError.badCorePlace(lba: coreLBA) }
        try core.withUnsafeBytes { try descriptor.writeFully(at: Int64(start), $0) }
        try boot.withUnsafeBytes { try descriptor.writeFully(at: 0, $0) }
    }

    private static func little<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
