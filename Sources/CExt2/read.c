#include "cext2.h"

#include <ext2fs/ext2fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The library's own handle; the name keeps its header out of ours.
static ext2_filsys handle(cext2_filesystem *filesystem) { return (ext2_filsys)filesystem; }

long cext2_open(const char *path, uint64_t offset, cext2_filesystem **opened) {
    char options[40];
    snprintf(options, sizeof options, "offset=%llu", (unsigned long long)offset);
    ext2_filsys fs = NULL;
    errcode_t failure = ext2fs_open2(path, options, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);
    if (failure) return failure;
    *opened = (cext2_filesystem *)fs;
    return 0;
}

void cext2_close(cext2_filesystem *filesystem) {
    ext2_filsys fs = handle(filesystem);
    ext2fs_close_free(&fs);
}

void cext2_facts_of(cext2_filesystem *filesystem, struct cext2_facts *facts) {
    ext2_filsys fs = handle(filesystem);
    struct ext2_super_block *super = fs->super;
    memset(facts, 0, sizeof *facts);
    facts->blocks = ext2fs_blocks_count(super);
    facts->first_block = super->s_first_data_block;
    facts->block_size = fs->blocksize;
    facts->inodes = super->s_inodes_count;
    facts->state = super->s_state;
    facts->mounts = super->s_mnt_count;
    facts->needs_recovery = ext2fs_has_feature_journal_needs_recovery(super) ? 1 : 0;
    memcpy(facts->uuid, super->s_uuid, 16);
    memcpy(facts->label, super->s_volume_name, 16);
    memcpy(facts->last_mounted, super->s_last_mounted, 64);
}

long cext2_status_of(cext2_filesystem *filesystem, uint32_t number, struct cext2_status *status) {
    struct ext2_inode inode;
    errcode_t failure = ext2fs_read_inode(handle(filesystem), number, &inode);
    if (failure) return failure;
    memset(status, 0, sizeof *status);
    status->mode = inode.i_mode;
    status->user = inode_uid(inode);
    status->group = inode_gid(inode);
    status->size = EXT2_I_SIZE(&inode);
    status->links = inode.i_links_count;
    status->modified = (int32_t)inode.i_mtime;
    if (inode.i_block[0]) {
        status->major = (inode.i_block[0] >> 8) & 0xff;
        status->minor = inode.i_block[0] & 0xff;
    } else {
        status->major = (inode.i_block[1] >> 8) & 0xfff;
        status->minor = (inode.i_block[1] & 0xff) | ((inode.i_block[1] >> 12) & 0xfff00);
    }
    return 0;
}

struct listing {
    cext2_entry entry;
    void *context;
};

static int visit_entry(
    ext2_ino_t folder, int kind, struct ext2_dir_entry *dirent, int offset, int size, char *buffer, void *data) {
    (void)folder, (void)kind, (void)offset, (void)size, (void)buffer;
    struct listing *listing = data;
    size_t length = (size_t)ext2fs_dirent_name_len(dirent);
    if (length <= 2 && memcmp(dirent->name, "..", length) == 0) return 0;
    return listing->entry(listing->context, (const uint8_t *)dirent->name, length, dirent->inode) ? DIRENT_ABORT : 0;
}

long cext2_list(cext2_filesystem *filesystem, uint32_t inode, cext2_entry entry, void *context) {
    struct listing listing = {entry, context};
    return ext2fs_dir_iterate2(handle(filesystem), inode, 0, NULL, visit_entry, &listing);
}

long cext2_read(
    cext2_filesystem *filesystem, uint32_t inode, uint64_t offset, uint8_t *bytes, size_t count, size_t *got) {
    *got = 0;
    ext2_file_t file = NULL;
    errcode_t failure = ext2fs_file_open(handle(filesystem), inode, 0, &file);
    if (failure) return failure;
    failure = ext2fs_file_llseek(file, offset, EXT2_SEEK_SET, NULL);
    while (!failure && *got < count) {
        size_t rest = count - *got;
        unsigned int wanted = rest > (1u << 20) ? 1u << 20 : (unsigned int)rest, part = 0;
        failure = ext2fs_file_read(file, bytes + *got, wanted, &part);
        if (part == 0) break;
        *got += part;
    }
    ext2fs_file_close(file);
    return failure;
}

long cext2_readlink(cext2_filesystem *filesystem, uint32_t number, uint8_t *bytes, size_t count, size_t *got) {
    struct ext2_inode inode;
    *got = 0;
    errcode_t failure = ext2fs_read_inode(handle(filesystem), number, &inode);
    if (failure) return failure;
    if (!LINUX_S_ISLNK(inode.i_mode)) return EXT2_ET_BAD_MAGIC;
    uint64_t length = EXT2_I_SIZE(&inode);
    if (length < count) count = (size_t)length;
    if (!ext2fs_is_fast_symlink(&inode)) return cext2_read(filesystem, number, 0, bytes, count, got);
    if (count > sizeof inode.i_block) count = sizeof inode.i_block;
    memcpy(bytes, inode.i_block, count);
    *got = count;
    return 0;
}

struct attributes {
    cext2_attribute attribute;
    void *context;
};

static int visit_attribute(char *name, char *value, size_t length, void *data) {
    struct attributes *attributes = data;
    int end = attributes->attribute(attributes->context, name, (const uint8_t *)value, length);
    return end ? XATTR_ABORT : 0;
}

long cext2_attributes(cext2_filesystem *filesystem, uint32_t inode, cext2_attribute attribute, void *context) {
    struct ext2_xattr_handle *handles = NULL;
    struct attributes attributes = {attribute, context};
    errcode_t failure = ext2fs_xattrs_open(handle(filesystem), inode, &handles);
    if (failure) return failure;
    unsigned int flags = XATTR_HANDLE_FLAG_RAW;
    ext2fs_xattrs_flags(handles, &flags, NULL);
    failure = ext2fs_xattrs_read(handles);
    if (!failure) failure = ext2fs_xattrs_iterate(handles, visit_attribute, &attributes);
    ext2fs_xattrs_close(&handles);
    return failure;
}

long cext2_free_runs(cext2_filesystem *filesystem, cext2_run run, void *context) {
    ext2_filsys fs = handle(filesystem);
    errcode_t failure = fs->block_map ? 0 : ext2fs_read_block_bitmap(fs);
    if (failure) return failure;
    blk64_t at = fs->super->s_first_data_block, last = ext2fs_blocks_count(fs->super) - 1;
    while (at <= last) {
        blk64_t first, end;
        failure = ext2fs_find_first_zero_block_bitmap2(fs->block_map, at, last, &first);
        if (failure == ENOENT) return 0;
        if (failure) return failure;
        failure = ext2fs_find_first_set_block_bitmap2(fs->block_map, first, last, &end);
        if (failure == ENOENT) end = last + 1;
        else if (failure) return failure;
        if (end <= first || run(context, first, end - first)) return 0;
        at = end;
    }
    return 0;
}

struct owners {
    const uint64_t *blocks;
    size_t count;
    uint32_t *inodes;
    uint32_t inode;
};

static int visit_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t number, blk64_t reference, int offset, void *data) {
    (void)fs, (void)number, (void)reference, (void)offset;
    struct owners *owners = data;
    size_t low = 0, high = owners->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (owners->blocks[middle] < *block) low = middle + 1;
        else high = middle;
    }
    for (; low < owners->count && owners->blocks[low] == *block; low++) owners->inodes[low] = owners->inode;
    return 0;
}

long cext2_owners(cext2_filesystem *filesystem, const uint64_t *blocks, size_t count, uint32_t *inodes) {
    ext2_filsys fs = handle(filesystem);
    struct owners owners = {blocks, count, inodes, 0};
    memset(inodes, 0, count * sizeof *inodes);
    ext2_inode_scan scan = NULL;
    errcode_t failure = ext2fs_open_inode_scan(fs, 0, &scan);
    while (!failure) {
        struct ext2_inode inode;
        failure = ext2fs_get_next_inode(scan, &owners.inode, &inode);
        if (failure == EXT2_ET_INODE_CSUM_INVALID || failure == EXT2_ET_INODE_IS_GARBAGE) {
            failure = 0;
            continue;
        }
        if (failure || owners.inode == 0) break;
        if (inode.i_links_count == 0 && owners.inode != EXT2_JOURNAL_INO) continue;
        if (!ext2fs_inode_has_valid_blocks2(fs, &inode)) continue;
        // What cannot be walked owns nothing that could be told.
        (void)ext2fs_block_iterate3(fs, owners.inode, BLOCK_FLAG_READ_ONLY, NULL, visit_block, &owners);
    }
    if (scan) ext2fs_close_inode_scan(scan);
    return failure;
}

long cext2_block_of(cext2_filesystem *filesystem, uint32_t number, uint64_t offset, uint64_t *block) {
    ext2_filsys fs = handle(filesystem);
    struct ext2_inode inode;
    *block = 0;
    errcode_t failure = ext2fs_read_inode(fs, number, &inode);
    if (failure) return failure;
    if (inode.i_flags & EXT4_INLINE_DATA_FL) return 0;
    blk64_t found = 0;
    int flags = 0;
    failure = ext2fs_bmap2(fs, number, &inode, NULL, 0, offset / fs->blocksize, &flags, &found);
    if (failure) return failure;
    *block = flags & BMAP_RET_UNINIT ? 0 : found;
    return 0;
}
