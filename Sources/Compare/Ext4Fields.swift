/// The fields of ext4's structures. Source: Linux, Documentation/filesystems/ext4.
enum Ext4Fields {
    static let superblock: [Field] = [
        Field("inodes", 0x0, 4), Field("blocks", 0x4, 4), Field("reserved blocks", 0x8, 4),
        Field("free blocks", 0xc, 4), Field("free inodes", 0x10, 4), Field("first data block", 0x14, 4),
        Field("block size", 0x18, 4), Field("cluster size", 0x1c, 4), Field("blocks per group", 0x20, 4),
        Field("clusters per group", 0x24, 4), Field("inodes per group", 0x28, 4),
        Field("mtime (mounted)", 0x2c, 4, .time),
        Field("wtime (written)", 0x30, 4, .time), Field("mount count", 0x34, 2), Field("most mounts", 0x36, 2),
        Field("magic", 0x38, 2, .hexadecimal), Field("state", 0x3a, 2), Field("errors behaviour", 0x3c, 2),
        Field("minor revision", 0x3e, 2), Field("lastcheck (checked)", 0x40, 4, .time),
        Field("check interval", 0x44, 4),
        Field("creator", 0x48, 4), Field("revision", 0x4c, 4), Field("reserved uid", 0x50, 2),
        Field("reserved gid", 0x52, 2), Field("first inode", 0x54, 4), Field("inode size", 0x58, 2),
        Field("group of this copy", 0x5a, 2), Field("compatible features", 0x5c, 4, .hexadecimal),
        Field("incompatible features", 0x60, 4, .hexadecimal), Field("read-only features", 0x64, 4, .hexadecimal),
        Field("UUID", 0x68, 16, .uuid), Field("label", 0x78, 16, .text), Field("last mounted on", 0x88, 64, .text),
        Field("reserved descriptor blocks", 0xce, 2), Field("journal UUID", 0xd0, 16, .uuid),
        Field("journal inode", 0xe0, 4), Field("orphans", 0xe8, 4), Field("hash seed", 0xec, 16, .uuid),
        Field("hash version", 0xfc, 1), Field("default mount options", 0x100, 4, .hexadecimal),
        Field("mkfs_time (made)", 0x108, 4, .time), Field("journal's blocks", 0x10c, 68, .opaque),
        Field("blocks, high half", 0x150, 4), Field("free blocks, high half", 0x158, 4),
        Field("flags", 0x160, 4, .hexadecimal), Field("group of flex_bg", 0x174, 1),
        Field("kilobytes written", 0x178, 8), Field("errors", 0x194, 4), Field("first error", 0x198, 4, .time),
        Field("last error", 0x1cc, 4, .time), Field("mount options", 0x200, 64, .text),
        Field("overhead", 0x248, 4), Field("lost+found inode", 0x268, 4),
        Field("checksum seed", 0x270, 4, .hexadecimal),
        Field("checksum", 0x3fc, 4, .hexadecimal),
    ]

    static let descriptor: [Field] = [
        Field("block bitmap", 0x0, 4), Field("inode bitmap", 0x4, 4), Field("inode table", 0x8, 4),
        Field("free blocks", 0xc, 2), Field("free inodes", 0xe, 2), Field("directories", 0x10, 2),
        Field("flags", 0x12, 2, .hexadecimal), Field("block bitmap's checksum", 0x18, 2, .hexadecimal),
        Field("inode bitmap's checksum", 0x1a, 2, .hexadecimal), Field("unused inodes", 0x1c, 2),
        Field("checksum", 0x1e, 2, .hexadecimal), Field("block bitmap's high checksum", 0x38, 2, .hexadecimal),
        Field("inode bitmap's high checksum", 0x3a, 2, .hexadecimal),
    ]

    static let inode: [Field] = [
        Field("mode", 0x0, 2, .octal), Field("uid", 0x2, 2), Field("size", 0x4, 4), Field("atime", 0x8, 4, .time),
        Field("ctime", 0xc, 4, .time), Field("mtime", 0x10, 4, .time), Field("dtime", 0x14, 4, .time),
        Field("gid", 0x18, 2), Field("links", 0x1a, 2), Field("blocks", 0x1c, 4),
        Field("flags", 0x20, 4, .hexadecimal), Field("version", 0x24, 4),
        Field("place of its content", 0x28, 60, .opaque), Field("generation", 0x64, 4, .hexadecimal),
        Field("attributes block", 0x68, 4), Field("size, high half", 0x6c, 4), Field("blocks, high half", 0x74, 2),
        Field("attributes block, high half", 0x76, 2), Field("uid, high half", 0x78, 2),
        Field("gid, high half", 0x7a, 2), Field("checksum", 0x7c, 2, .hexadecimal), Field("extra size", 0x80, 2),
        Field("high checksum", 0x82, 2, .hexadecimal), Field("ctime's nanoseconds", 0x84, 4, .hexadecimal),
        Field("mtime's nanoseconds", 0x88, 4, .hexadecimal), Field("atime's nanoseconds", 0x8c, 4, .hexadecimal),
        Field("crtime", 0x90, 4, .time), Field("crtime's nanoseconds", 0x94, 4, .hexadecimal),
        Field("version, high half", 0x98, 4), Field("project", 0x9c, 4),
        Field("extended attributes", 0xa0, 96, .opaque),
    ]
}
