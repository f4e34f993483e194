import DiskFormats
import SystemPackage
import Testing

@Suite struct BIOSBootCodeTests {
    private var numbers = RepeatableNumbers(state: 11)
    private let boot: [UInt8]
    private let core: [UInt8]
    private let mbr: [UInt8]

    init() {
        boot = numbers.bytes(510) + [0x55, 0xaa]
        core = numbers.bytes(510) + [0x20, 0x08] + numbers.bytes(1000)
        mbr = numbers.bytes(510) + [0x55, 0xaa]
    }

    @Test func `The boot sector is the boot image with the core's place and the disk's own table`() throws {
        let sector = try BIOSBootCode.bootSector(bootImage: boot, coreLBA: 0x1_0000_0800, existing: mbr)
        #expect(sector[..<0x5c] == boot[..<0x5c])
        #expect(sector[0x5c..<0x64] == [0, 8, 0, 0, 1, 0, 0, 0])
        #expect(sector[0x64] == 0xff)
        #expect(sector[0x65] == boot[0x65])
        #expect(sector[0x66..<0x68] == [0x90, 0x90])
        #expect(sector[0x68..<0x1b8] == boot[0x68..<0x1b8])
        #expect(sector[0x1b8...] == mbr[0x1b8...])
    }

    @Test func `The core's first sector says where the others are`() throws {
        let bytes = try BIOSBootCode.core(image: core, at: 2048, capacity: 3)
        #expect(bytes.count == 1536)
        #expect(bytes[..<0x1f4] == core[..<0x1f4])
        #expect(bytes[0x1f4..<0x200] == [1, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0x20, 8])
        #expect(bytes[512..<1512] == core[512...])
        #expect(bytes[1512...].allSatisfy { $0 == 0 })
    }

    @Test func `Installing writes the boot sector and the core, nothing else`() throws {
        try ScratchFolder.with { folder in
            let old = mbr + [UInt8](repeating: 7, count: 9 * 512)
            try folder.file("disk", size: 0, [(0, old)]) { disk in
                try BIOSBootCode.install(
                    bootImage: boot, coreImage: core, coreLBA: 4, capacity: 3, descriptor: disk)
                var expected = old
                expected.replaceSubrange(
                    0..<512, with: try BIOSBootCode.bootSector(bootImage: boot, coreLBA: 4, existing: mbr))
                expected.replaceSubrange(
                    2048..<3584, with: try BIOSBootCode.core(image: core, at: 4, capacity: 3))
                let content = try disk.content()
                #expect(content == expected)
            }
        }
    }

    @Test(
        arguments: [
            (4, 2, .coreTooLarge(sectors: 3, capacity: 2)), (0, 3, .badCorePlace(lba: 0)),
            (8, 3, .badCorePlace(lba: 8)), (.max, 3, .badCorePlace(lba: .max)),
            (.max / 512, 3, .badCorePlace(lba: .max / 512)),
        ] as [(UInt64, UInt64, BIOSBootCodeError)])
    func `What does not fit is refused and nothing is written`(
        lba: UInt64, capacity: UInt64, error: BIOSBootCodeError
    ) throws {
        try ScratchFolder.with { folder in
            let old = mbr + [UInt8](repeating: 7, count: 9 * 512)
            try folder.file("disk", size: 0, [(0, old)]) { disk in
                #expect(throws: error) {
                    try BIOSBootCode.install(
                        bootImage: boot, coreImage: core, coreLBA: lba, capacity: capacity, descriptor: disk)
                }
                let content = try disk.content()
                #expect(content == old)
            }
        }
    }

    @Test func `What is no boot image, no core image or no MBR is refused`() {
        #expect(throws: BIOSBootCodeError.notABootImage) {
            try BIOSBootCode.bootSector(bootImage: Array(boot.dropLast()), coreLBA: 1, existing: mbr)
        }
        #expect(throws: BIOSBootCodeError.noPartitionTable) {
            try BIOSBootCode.bootSector(bootImage: boot, coreLBA: 1, existing: Array(repeating: 0, count: 512))
        }
        #expect(throws: BIOSBootCodeError.notACoreImage) { try BIOSBootCode.core(image: boot, at: 1, capacity: 9) }
        #expect(throws: BIOSBootCodeError.notACoreImage) { try BIOSBootCode.core(image: mbr + mbr, at: 1, capacity: 9) }
    }

    /// These bytes were also compared, once, with what GRUB 2.06's `grub-bios-setup --no-rs-codes` wrote: the same.
    @Test(.enabled(if: Program.exists("/usr/bin/grub-mkimage") && Program.exists("/usr/sbin/sfdisk")))
    func `GRUB's own images are taken, and the core keeps its length`() throws {
        try ScratchFolder.with { folder in
            try Program.run(
                "/usr/bin/grub-mkimage",
                ["-O", "i386-pc", "-o", folder.string("core"), "-p", "/boot/grub", "biosdisk", "part_gpt", "ext2"])
            let core = try folder.open("core") { try $0.content() }
            let image = try FileDescriptor.open("/usr/lib/grub/i386-pc/boot.img", .readOnly)
            let boot = try image.closeAfter { try image.content() }
            try folder.file("disk", size: 16 << 20) { _ in }
            try Program.run(
                "/usr/sbin/sfdisk", ["-q", folder.string("disk")],
                input: "label: gpt\nstart=2048,size=2048,type=21686148-6449-6E6F-744E-656564454649\n")
            try folder.open("disk") { disk in
                let before = try PartitionTable.read(disk)
                let partition = try #require(before.partitions.first)
                try BIOSBootCode.install(
                    bootImage: boot, coreImage: core, coreLBA: partition.firstLBA, capacity: 2048, descriptor: disk)
                #expect(try PartitionTable.read(disk) == before)
                let content = try disk.content()
                // grub-mkimage fills in the number of sectors itself: the block list must agree with it.
                #expect(content[(1 << 20) + 0x1fc..<(1 << 20) + 0x200] == core[0x1fc..<0x200])
                #expect(content[(1 << 20) + 512..<(1 << 20) + core.count] == core[512...])
            }
        }
    }
}
