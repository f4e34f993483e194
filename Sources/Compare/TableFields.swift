/// The fields of partition tables.
enum TableFields {
    static let bootRecord: [Field] = [
        Field("boot code", 0, 440, .opaque), Field("disk signature", 440, 4, .hexadecimal),
        Field("entry 1", 446, 16, .opaque), Field("entry 2", 462, 16, .opaque), Field("entry 3", 478, 16, .opaque),
        Field("entry 4", 494, 16, .opaque), Field("signature", 510, 2, .hexadecimal),
    ]

    static let header: [Field] = [
        Field("signature", 0, 8, .text), Field("revision", 8, 4, .hexadecimal), Field("header size", 12, 4),
        Field("checksum", 16, 4, .hexadecimal), Field("own sector", 24, 8), Field("other copy's sector", 32, 8),
        Field("first usable sector", 40, 8), Field("last usable sector", 48, 8), Field("disk GUID", 56, 16, .guid),
        Field("entries' sector", 72, 8), Field("number of entries", 80, 4), Field("size of an entry", 84, 4),
        Field("entries' checksum", 88, 4, .hexadecimal),
    ]

    static let entry: [Field] = [
        Field("type", 0, 16, .guid), Field("GUID", 16, 16, .guid), Field("first sector", 32, 8),
        Field("last sector", 40, 8), Field("attributes", 48, 8, .hexadecimal), Field("name", 56, 72, .wideText),
    ]
}

/// The fields of FAT. Source: Microsoft, FAT32 File System Specification 1.03.
enum FATFields {
    static func boot(isFAT32: Bool) -> [Field] {
        let shift = isFAT32 ? 28 : 0
        return [
            Field("OEM name", 3, 8, .text), Field("sector size", 11, 2), Field("sectors per cluster", 13, 1),
            Field("reserved sectors", 14, 2), Field("number of FATs", 16, 1), Field("root entries", 17, 2),
            Field("sectors", 19, 2), Field("media", 21, 1), Field("sectors of a FAT", 22, 2),
            Field("hidden sectors", 28, 4), Field("sectors (32 bits)", 32, 4), Field("drive", 36 + shift, 1),
            Field("state", 37 + shift, 1), Field("serial number", 39 + shift, 4, .hexadecimal),
            Field("label", 43 + shift, 11, .text), Field("type", 54 + shift, 8, .text),
        ]
    }

    static let entry: [Field] = [
        Field("name", 0, 11, .text), Field("attributes", 11, 1, .hexadecimal), Field("case", 12, 1),
        Field("creation time", 13, 5, .opaque), Field("access date", 18, 2, .opaque),
        Field("modification time", 22, 4, .opaque), Field("first cluster, high half", 20, 2),
        Field("first cluster", 26, 2), Field("size", 28, 4),
    ]
}
