/// Disk formats that QEMU would guess and that are refused by name.
package enum UnusedFormat: String, Hashable, Sendable, CaseIterable {
    case qed, parallels, bochs, cloop, dmg

    package var title: String {
        switch self {
        case .qed: "a QED image"
        case .parallels: "a Parallels image"
        case .bochs: "a Bochs image"
        case .cloop: "a compressed loop image (cloop)"
        case .dmg: "an Apple disk image"
        }
    }

    init?(_ start: ByteFields, _ end: ByteFields) {
        if start.has("QED\0") {
            self = .qed
        } else if start.has("WithoutFreeSpace") || start.has("WithouFreSpacExt") {
            self = .parallels
        } else if start.has("Bochs Virtual HD Image") {
            self = .bochs
        } else if start.has("#!/bin/sh\n#V2.0 Format\nmodprobe cloop") {
            self = .cloop
        } else if end.has("koly") {
            self = .dmg
        } else {
            return nil
        }
    }
}

/// Marks of a second format in a file that has one already: what one program takes for a harmless disk is then an image
/// that names other files to the next program.
enum SecondFormat {
    static func hazards(
        beside kind: DiskImageKind, _ start: ByteFields, _ end: ByteFields, _ file: some ByteSource
    ) throws -> [String] {
        var found: [String] = []
        let isDisk = kind == .raw || isDisc(kind) || isFixed(kind)
        if start.has(VDIHeader.magic, at: 0x40), !isVDI(kind) { found.append("a VDI header") }
        if !isDisk, kind.blockDriver != nil {
            if start.has([0x55, 0xaa], at: 510) { found.append("a boot sector") }
            if start.has("EFI PART", at: 512) { found.append("a partition table") }
            if try file.bytes(at: 32769, count: 5).has("CD001") { found.append("the descriptor of a disc") }
        }
        if end.has("conectix"), !isVHD(kind), kind != .raw { found.append("a VHD footer") }
        if end.has("koly"), kind != .unused(.dmg) { found.append("the trailer of an Apple disk image") }
        return found.map { "it is \(kind.name) and has \($0) too" }
    }

    private static func isVDI(_ kind: DiskImageKind) -> Bool {
        if case .vdi = kind { true } else { false }
    }

    private static func isVHD(_ kind: DiskImageKind) -> Bool {
        if case .vhd = kind { true } else { false }
    }

    private static func isFixed(_ kind: DiskImageKind) -> Bool {
        if case .vhd(let header) = kind { header.type == .fixed } else { false }
    }

    private static func isDisc(_ kind: DiskImageKind) -> Bool {
        if case .iso9660 = kind { true } else { false }
    }
}
