#include "cext2.h"

#include <ext2fs/ext2fs.h>
#include <et/com_err.h>
#include <stdio.h>
#include <string.h>

const char *cext2_message(long code) {
    initialize_ext2_error_table();
    return error_message((errcode_t)code);
}

// Times of large inodes: 32 bits of seconds here, two more bits and the nanoseconds in the extra field.
static void settle(struct ext2_inode_large *inode, uint64_t epoch) {
    int has_extra = inode->i_extra_isize >= 24;
    uint64_t modified = inode->i_mtime;
    if (has_extra) modified += ((uint64_t)(inode->i_mtime_extra & 3)) << 32;
    uint64_t time = modified > epoch ? epoch : modified;
    inode->i_mtime = inode->i_ctime = inode->i_atime = (uint32_t)time;
    if (!has_extra) return;
    uint32_t extra = (uint32_t)(time >> 32) & 3;
    inode->i_mtime_extra = inode->i_ctime_extra = inode->i_atime_extra = extra;
    inode->i_crtime = (uint32_t)time;
    inode->i_crtime_extra = extra;
}

long cext2_settle_times(const char *path, uint64_t offset, uint64_t epoch) {
    char options[40];
    snprintf(options, sizeof options, "offset=%llu", (unsigned long long)offset);
    ext2_filsys fs = NULL;
    errcode_t failure =
        ext2fs_open2(path, options, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);
    if (failure) return failure;
    ext2_inode_scan scan = NULL;
    failure = ext2fs_read_inode_bitmap(fs);
    if (!failure) failure = ext2fs_open_inode_scan(fs, 0, &scan);
    while (!failure) {
        ext2_ino_t number = 0;
        struct ext2_inode_large inode;
        memset(&inode, 0, sizeof inode);
        failure = ext2fs_get_next_inode_full(scan, &number, (struct ext2_inode *)&inode, sizeof inode);
        if (failure || number == 0) break;
        // The bitmap knows what is free; the reserved inodes with content (root, resize, journal) have times too.
        if (!ext2fs_test_inode_bitmap2(fs->inode_map, number)) continue;
        if (inode.i_mode == 0 && inode.i_links_count == 0 && inode.i_mtime == 0) continue;
        settle(&inode, epoch);
        failure = ext2fs_write_inode_full(fs, number, (struct ext2_inode *)&inode, sizeof inode);
    }
    if (scan) ext2fs_close_inode_scan(scan);
    if (!failure) {
        struct ext2_super_block *super = fs->super;
        super->s_mkfs_time = super->s_wtime = super->s_lastcheck = (uint32_t)epoch;
        super->s_mtime = 0;
        super->s_kbytes_written = 0;
        fs->now = (time_t)epoch;  // Else closing writes the clock's time into s_wtime.
        ext2fs_mark_super_dirty(fs);
        fs->flags &= ~EXT2_FLAG_MASTER_SB_ONLY;
    }
    errcode_t closing = ext2fs_close_free(&fs);
    return failure ? failure : closing;
}
