/// Images that must not reach a tool, each with words of the reason. CANARY stands for the path of a file of the host.
package enum HostileImages {
    package struct Image: Sendable, CustomStringConvertible {
        package var name: String
        package var reason: String
        package var bytes: ImageBytes

        init(_ name: String, _ reason: String, _ bytes: ImageBytes) {
            (self.name, self.reason, self.bytes) = (name, reason, bytes)
        }

        package var description: String { name }
    }

    package static func all(canary: String) -> [Image] {
        qcow2(canary) + qcow2Tables + vmdk(canary) + vhd(canary) + vhdx + vdi + polyglots(canary) + others
    }

    private static func backed(by name: String) -> ImageBytes {
        .qcow2.big(8, UInt64(512)).big(16, UInt32(name.utf8.count)).text(512, name)
    }

    private static func qcow2(_ canary: String) -> [Image] {
        let json = #"json:{"driver":"raw","file":{"driver":"file","filename":"\#(canary)"}}"#
        let q = ImageBytes.qcow2
        return [
            Image("backing.qcow2", "it has a backing file: '/", backed(by: canary)),
            Image("json.qcow2", "it has a backing file, by description: 'json:", backed(by: json)),
            Image("nbd.qcow2", "it has a backing file, by description: 'nbd:", backed(by: "nbd://127.0.0.1/x")),
            Image("far-name.qcow2", "name lies outside", q.big(8, UInt64.max).big(16, UInt32(9))),
            Image("long-name.qcow2", "name lies outside", q.big(8, UInt64(512)).big(16, UInt32.max)),
            Image(
                "data-file.qcow2", "its data is in another file: '/",
                q.big(72, UInt64(4)).big(104, UInt32(0x4441_5441)).big(108, UInt32(canary.utf8.count))
                    .text(112, canary)),
            Image("aes.qcow2", "it is encrypted", q.big(32, UInt32(1))),
            Image("luks.qcow2", "it is encrypted", q.big(32, UInt32(2))),
            Image("crypto.qcow2", "a header for encryption", q.big(104, UInt32(0x0537_be77)).big(108, UInt32(16))),
            Image("features.qcow2", "unknown incompatible features", q.big(72, UInt64(1) << 62)),
            Image("dirty.qcow2", "not closed properly", q.big(72, UInt64(1))),
            Image("corrupt.qcow2", "marked corrupt", q.big(72, UInt64(2))),
            Image("compression.qcow2", "compression type", q.big(72, UInt64(8)).big(100, UInt32(112)).with(104, [9])),
            Image("snapshots.qcow2", "internal snapshots", q.big(60, UInt32(2)).big(64, UInt64(1 << 16))),
            Image("version-1.qcow2", "version 1", q.big(4, UInt32(1))),
            Image("version-9.qcow2", "unknown version", q.big(4, UInt32(9))),
        ]
    }

    private static var qcow2Tables: [Image] {
        let q = ImageBytes.qcow2
        return [
            Image("huge.qcow2", "virtual size", q.big(24, UInt64.max)),
            Image("petabytes.qcow2", "L1 table is too short", q.big(24, UInt64(1) << 60)),
            Image(
                "too-big.qcow2", "more than any disk",
                q.big(24, UInt64(65) << 40).big(36, UInt32(133_120)).with((3 << 16) + 133_120 * 8, [0])),
            Image("l1.qcow2", "L1 table lies outside", q.big(36, UInt32.max)),
            Image("l1-place.qcow2", "L1 table lies outside", q.big(40, UInt64.max - 7)),
            Image("l1-entry.qcow2", "points outside", q.big(3 << 16, UInt64(0x8000_0fff_ffff_0000))),
            Image("refcounts.qcow2", "reference counts", q.big(56, UInt32.max)),
            Image("refcount-place.qcow2", "lies outside", q.big(48, UInt64(1) << 62)),
            Image("clusters.qcow2", "cluster size", q.big(20, UInt32(63))),
            Image("cut.qcow2", "cut off", q.cut(to: 40)),
            Image("extensions.qcow2", "extension lies outside", q.big(104, UInt32(7)).big(108, UInt32.max)),
        ]
    }

    private static func descriptor(_ type: String, _ lines: String) -> String {
        "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"\(type)\"\n\(lines)\n"
    }

    private static func vmdk(_ canary: String) -> [Image] {
        func text(_ name: String, _ type: String, _ lines: String) -> Image {
            Image(name, "its data is in other files: '/", ImageBytes(size: 1024).text(0, descriptor(type, lines)))
        }
        let hidden = "# parentFileNameHint=\"\(canary)\""
        return [
            text("flat.vmdk", "monolithicFlat", "RW 2048 FLAT \"\(canary)\" 0"),
            text("two-gb.vmdk", "twoGbMaxExtentFlat", "RW 2048 FLAT \"\(canary)\" 0"),
            text("esx.vmdk", "vmfs", "RW 2048 VMFS \"\(canary)\" 0"),
            Image(
                "comments.img", "its data is in other files",
                ImageBytes(size: 1024).text(0, "\n#\n\nversion=1\nRW 8 FLAT \"\(canary)\" 0\n")),
            Image("no-capacity.vmdk", "no capacity", .vmdk.little(12, UInt64(0))),
            Image(
                "parent.vmdk", "it has a parent disk",
                .vmdk.text(512, descriptor("monolithicSparse", "parentFileNameHint=\"\(canary)\""))),
            Image("hidden-parent.vmdk", "it has a parent disk", .vmdk.text(4096, hidden)),
            Image(
                "embedded-flat.vmdk", "of another type",
                .vmdk.text(512, descriptor("monolithicSparse", "RW 8 FLAT \"\(canary)\" 0"))),
            Image("part.vmdk", "a part of a disk", .vmdk.little(28, UInt64(0))),
            Image("cowd.vmdk", "descriptor is another file", ImageBytes(size: 1024).text(0, "COWD")),
        ]
    }

    private static func vhd(_ canary: String) -> [Image] {
        let wide = canary.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        return [
            Image("differencing.vhd", "it has a parent disk", .dynamicVHD(type: 4)),
            Image("locator.vhd", "names a parent disk", .dynamicVHD().text(512 + 576, "W2ku")),
            Image("parent.vhd", "names a parent disk", .dynamicVHD().with(512 + 64, wide)),
            Image(
                "cut.vhd", "it is cut off",
                ImageBytes.raw.with(4096, ImageBytes.vhdFooter(type: 2, size: 1 << 20)).cut(to: 4608)),
            Image("checksum.vhd", "checksum", .dynamicVHD().with(100, [1])),
            Image("table.vhd", "table lies outside", .dynamicVHD().big(512 + 16, UInt64.max)),
        ]
    }

    private static var vhdx: [Image] {
        [
            Image("parent.vhdx", "it has a parent disk", .vhdx.little((2 << 20) + (64 << 10) + 4, UInt32(2))),
            Image(
                "locator.vhdx", "it has a parent disk",
                .vhdx.little((2 << 20) + 10, UInt16(3)).with((2 << 20) + 96, ImageBytes.vhdxParent)),
            Image("log.vhdx", "a log to replay", .vhdx.with((128 << 10) + 48, [1])),
            Image("size.vhdx", "more than any disk", .vhdx.little((2 << 20) + (64 << 10) + 8, UInt64.max)),
            Image("metadata.vhdx", "metadata is damaged", .vhdx.little((192 << 10) + 32, UInt64.max)),
        ]
    }

    private static var vdi: [Image] {
        [
            Image("parent.vdi", "it has a parent disk", .vdi.with(440, [1])),
            Image("huge.vdi", "map", .vdi.little(368, UInt64.max)),
            Image("map.vdi", "map lies outside", .vdi.little(340, UInt32.max - 511)),
        ]
    }

    private static func polyglots(_ canary: String) -> [Image] {
        [
            Image("claim.raw", "said to be raw and is qcow2", .qcow2),
            Image("claim.qcow2", "said to be qcow2 and is raw", .raw),
            Image("boot-sector.qcow2", "has a boot sector too", .qcow2.with(510, [0x55, 0xaa])),
            Image("gpt.qcow2", "has a partition table too", .qcow2.text(512, "EFI PART")),
            Image("disc.qcow2", "has the descriptor of a disc too", .qcow2.text(32769, "CD001")),
            Image(
                "footer.qcow2", "has a VHD footer too",
                .qcow2.with(4 << 16, ImageBytes.vhdFooter(type: 2, size: 4 << 16))),
            Image("vdi.vmdk", "has a VDI header too", .vmdk.with(64, [0x7f, 0x10, 0xda, 0xbe])),
            Image(
                "footer.iso", "said to be iso and is vhd", .iso.with(65536, ImageBytes.vhdFooter(type: 2, size: 65536))),
            Image("footer.raw", "damaged VHD footer", .raw.text((1 << 20) - 512, "conectix")),
        ]
    }

    private static var others: [Image] {
        let empty = ImageBytes(size: 1 << 20)
        return [
            Image("luks.img", "encrypted (LUKS)", empty.text(0, "LUKS").with(4, [0xba, 0xbe, 0, 2])),
            Image("qed.img", "a QED image", empty.text(0, "QED\u{0}")),
            Image("parallels.img", "a Parallels image", empty.text(0, "WithouFreSpacExt")),
            Image("bochs.img", "a Bochs image", empty.text(0, "Bochs Virtual HD Image")),
            Image("cloop.img", "a compressed loop image", empty.text(0, "#!/bin/sh\n#V2.0 Format\nmodprobe cloop")),
            Image("disk.dmg", "an Apple disk image", empty.text((1 << 20) - 512, "koly")),
            Image("packed.img", "it is compressed (gzip)", empty.with(0, [0x1f, 0x8b, 8])),
            Image("empty.img", "it is empty", ImageBytes(size: 0)),
            Image("odd.img", "not a multiple of 512", ImageBytes(size: 1000)),
        ]
    }
}
