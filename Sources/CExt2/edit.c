#include "edit.h"

#include <ext2fs/ext2fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ext2_filsys handle(cext2_filesystem *filesystem) { return (ext2_filsys)filesystem; }

// What libext2fs reads and writes, but would leave in another state than the kernel does.
static const char *obstacle(ext2_filsys fs) {
    struct ext2_super_block *super = fs->super;
    if (ext2fs_has_feature_ea_inode(super)) return "attributes in inodes of their own (ea_inode)";
    if (ext2fs_has_feature_shared_blocks(super)) return "files that share blocks (shared_blocks)";
    if (ext2fs_has_feature_encrypt(super)) return "encryption (encrypt)";
    if (ext2fs_has_feature_readonly(super)) return "the mark that it is never to be written (read-only)";
    if (ext2fs_has_feature_journal_dev(super)) return "nothing but a journal (journal_dev)";
    if (ext2fs_has_feature_journal(super) && super->s_journal_inum == 0) return "its journal on another disk";
    return NULL;
}

long cext2_open_for_editing(const char *path, uint64_t offset, cext2_filesystem **opened, const char **unsupported) {
    char options[40];
    snprintf(options, sizeof options, "offset=%llu", (unsigned long long)offset);
    ext2_filsys fs = NULL;
    errcode_t failure = ext2fs_open2(path, options, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);
    if (failure) return failure;
    *unsupported = obstacle(fs);
    if (*unsupported) failure = cext2_unsupported;
    if (!failure) failure = ext2fs_read_bitmaps(fs);
    if (failure) {
        ext2fs_free(fs);
        return failure;
    }
    // Zero would mean the clock.
    fs->now = fs->super->s_wtime ? (time_t)fs->super->s_wtime : 1;
    *opened = (cext2_filesystem *)fs;
    return 0;
}

long cext2_flush(cext2_filesystem *filesystem) {
    struct ext2_super_block *super = handle(filesystem)->super;
    super->s_mnt_count = 0;
    super->s_mtime = 0;
    super->s_mtime_hi = 0;
    memset(super->s_last_mounted, 0, sizeof super->s_last_mounted);
    ext2fs_mark_super_dirty(handle(filesystem));
    // The result of a step is synced where it is kept.
    return ext2fs_flush2(handle(filesystem), EXT2_FLAG_FLUSH_NO_SYNC);
}

int cext2_wants_check(cext2_filesystem *filesystem) {
    struct ext2_super_block *super = handle(filesystem)->super;
    return ext2fs_has_feature_journal_needs_recovery(super) || ext2fs_has_feature_orphan_present(super)
        || super->s_last_orphan != 0 || !(super->s_state & EXT2_VALID_FS) || (super->s_state & EXT2_ERROR_FS);
}

int cext2_has_quota(cext2_filesystem *filesystem) {
    struct ext2_super_block *super = handle(filesystem)->super;
    return ext2fs_has_feature_quota(super) || ext2fs_has_feature_project(super);
}

struct unlinking {
    const uint8_t *name;
    size_t length;
    int all, found;
};

static int is_dots(const char *name, size_t length) { return length <= 2 && memcmp("..", name, length) == 0; }

static int visit_entry(
    ext2_ino_t folder, int kind, struct ext2_dir_entry *dirent, int offset, int size, char *buffer, void *data) {
    (void)folder, (void)kind, (void)offset, (void)size, (void)buffer;
    struct unlinking *unlinking = data;
    size_t length = (size_t)ext2fs_dirent_name_len(dirent);
    if (dirent->inode == 0 || is_dots(dirent->name, length)) return 0;
    if (!unlinking->all && (length != unlinking->length || memcmp(dirent->name, unlinking->name, length) != 0)) return 0;
    memset(dirent->name, 0, length);
    dirent->inode = 0;
    dirent->name_len = 0;
    unlinking->found = 1;
    return unlinking->all ? DIRENT_CHANGED : DIRENT_CHANGED | DIRENT_ABORT;
}

long cext2_unlink(cext2_filesystem *filesystem, uint32_t folder, const uint8_t *name, size_t length) {
    struct unlinking unlinking = {name, length, 0, 0};
    errcode_t failure = ext2fs_dir_iterate2(handle(filesystem), folder, 0, NULL, visit_entry, &unlinking);
    if (failure) return failure;
    return unlinking.found ? 0 : EXT2_ET_FILE_NOT_FOUND;
}

long cext2_unlink_all(cext2_filesystem *filesystem, uint32_t folder) {
    struct unlinking unlinking = {NULL, 0, 1, 0};
    return ext2fs_dir_iterate2(handle(filesystem), folder, 0, NULL, visit_entry, &unlinking);
}

static errcode_t free_attributes(ext2_filsys fs, ext2_ino_t number, struct ext2_inode_large *inode) {
    struct ext2_inode *base = (struct ext2_inode *)inode;
    blk64_t block = ext2fs_file_acl_block(fs, base);
    if (!block) return 0;
    __u32 left = 0;
    errcode_t failure = ext2fs_adjust_ea_refcount3(fs, block, NULL, -1, &left, number);
    if (failure) return failure;
    if (left == 0) ext2fs_block_alloc_stats2(fs, block, -1);
    ext2fs_file_acl_block_set(fs, base, 0);
    return 0;
}

long cext2_release(cext2_filesystem *filesystem, uint32_t number) {
    ext2_filsys fs = handle(filesystem);
    if (number < EXT2_FIRST_INODE(fs->super) || number > fs->super->s_inodes_count) return EXT2_ET_BAD_INODE_NUM;
    if (!ext2fs_test_inode_bitmap2(fs->inode_map, number)) return EXT2_ET_BAD_INODE_NUM;
    size_t size = EXT2_INODE_SIZE(fs->super);
    if (size < sizeof(struct ext2_inode_large)) size = sizeof(struct ext2_inode_large);
    struct ext2_inode_large *inode = calloc(1, size);
    if (!inode) return EXT2_ET_NO_MEMORY;
    int stored = (int)EXT2_INODE_SIZE(fs->super);
    struct ext2_inode *base = (struct ext2_inode *)inode;
    errcode_t failure = ext2fs_read_inode_full(fs, number, base, stored);
    int is_folder = LINUX_S_ISDIR(inode->i_mode);
    if (!failure && !is_folder && inode->i_links_count > 1) {
        inode->i_links_count--;
        failure = ext2fs_write_inode_full(fs, number, base, stored);
        free(inode);
        return failure;
    }
    if (!failure) failure = free_attributes(fs, number, inode);
    // Inline data goes with the inode.
    if (!failure && !(inode->i_flags & EXT4_INLINE_DATA_FL) && ext2fs_inode_has_valid_blocks2(fs, base))
        failure = ext2fs_punch(fs, number, base, NULL, 0, ~0ULL);
    if (!failure) {
        memset(inode, 0, size);
        failure = ext2fs_write_inode_full(fs, number, base, stored);
    }
    if (!failure) ext2fs_inode_alloc_stats2(fs, number, -1, is_folder);
    free(inode);
    return failure;
}

long cext2_lose_folders(cext2_filesystem *filesystem, uint32_t folder, uint32_t count) {
    ext2_filsys fs = handle(filesystem);
    struct ext2_inode inode;
    errcode_t failure = ext2fs_read_inode(fs, folder, &inode);
    if (failure || count == 0) return failure;
    // One: there are, or were, more folders than can be counted.
    if (inode.i_links_count < 2) return 0;
    inode.i_links_count = inode.i_links_count < count + 2 ? 2 : (__u16)(inode.i_links_count - count);
    return ext2fs_write_inode(fs, folder, &inode);
}

long cext2_replace(cext2_filesystem *filesystem, uint32_t number, const uint8_t *bytes, size_t count) {
    ext2_filsys fs = handle(filesystem);
    struct ext2_inode inode;
    errcode_t failure = ext2fs_read_inode(fs, number, &inode);
    if (failure) return failure;
    if (!LINUX_S_ISREG(inode.i_mode)) return EXT2_ET_BAD_INODE_NUM;
    if (inode.i_flags & EXT4_VERITY_FL) return EXT2_ET_OP_NOT_SUPPORTED;
    if (inode.i_flags & EXT4_INLINE_DATA_FL) {
        failure = ext2fs_inline_data_set(fs, number, NULL, NULL, 0);
        if (!failure) failure = ext2fs_read_inode(fs, number, &inode);
    } else {
        failure = ext2fs_punch(fs, number, &inode, NULL, 0, ~0ULL);
    }
    if (!failure) failure = ext2fs_inode_size_set(fs, &inode, 0);
    if (failure) return failure;
    inode.i_mtime = inode.i_ctime = (uint32_t)fs->now;
    failure = ext2fs_write_inode(fs, number, &inode);
    ext2_file_t file = NULL;
    if (failure || count == 0) return failure;
    failure = ext2fs_file_open(fs, number, EXT2_FILE_WRITE, &file);
    if (failure) return failure;
    size_t done = 0;
    while (!failure && done < count) {
        size_t rest = count - done;
        unsigned int written = 0;
        // Not more than a block: the library copies a write to inline data into a buffer of its own unchecked.
        unsigned int part = rest > fs->blocksize ? fs->blocksize : (unsigned int)rest;
        failure = ext2fs_file_write(file, bytes + done, part, &written);
        if (!failure && written == 0) failure = EXT2_ET_SHORT_WRITE;
        done += written;
    }
    errcode_t closing = ext2fs_file_close(file);
    return failure ? failure : closing;
}

static const char label_name[] = "security.selinux";

static errcode_t inherit_label(ext2_filsys fs, ext2_ino_t folder, ext2_ino_t number) {
    struct ext2_xattr_handle *from = NULL, *to = NULL;
    void *label = NULL;
    size_t length = 0;
    errcode_t failure = ext2fs_xattrs_open(fs, folder, &from);
    if (failure) return failure;
    failure = ext2fs_xattrs_read(from);
    if (!failure) failure = ext2fs_xattr_get(from, label_name, &label, &length);
    ext2fs_xattrs_close(&from);
    if (failure == EXT2_ET_EA_KEY_NOT_FOUND) return 0;
    if (!failure) failure = ext2fs_xattrs_open(fs, number, &to);
    if (!failure) {
        failure = ext2fs_xattrs_read(to);
        // Setting writes.
        if (!failure) failure = ext2fs_xattr_set(to, label_name, label, length);
        ext2fs_xattrs_close(&to);
    }
    ext2fs_free_mem(&label);
    return failure;
}

static errcode_t link_in(ext2_filsys fs, ext2_ino_t folder, const char *name, ext2_ino_t number, int kind) {
    errcode_t failure = ext2fs_link(fs, folder, name, number, kind);
    if (failure != EXT2_ET_DIR_NO_SPACE) return failure;
    failure = ext2fs_expand_dir(fs, folder);
    return failure ? failure : ext2fs_link(fs, folder, name, number, kind);
}

long cext2_create(
    cext2_filesystem *filesystem, uint32_t folder, const char *name, uint16_t permissions, uint32_t *created) {
    ext2_filsys fs = handle(filesystem);
    ext2_ino_t number = 0;
    errcode_t failure = ext2fs_new_inode(fs, folder, LINUX_S_IFREG | permissions, NULL, &number);
    if (failure) return failure;
    failure = link_in(fs, folder, name, number, EXT2_FT_REG_FILE);
    if (failure) return failure;
    ext2fs_inode_alloc_stats2(fs, number, 1, 0);
    struct ext2_inode inode;
    memset(&inode, 0, sizeof inode);
    inode.i_mode = (__u16)(LINUX_S_IFREG | permissions);
    inode.i_links_count = 1;
    inode.i_atime = inode.i_ctime = inode.i_mtime = (uint32_t)fs->now;
    if (ext2fs_has_feature_extents(fs->super)) {
        ext2_extent_handle_t extents = NULL;
        inode.i_flags |= EXT4_EXTENTS_FL;
        failure = ext2fs_extent_open2(fs, number, &inode, &extents);
        if (failure) return failure;
        ext2fs_extent_free(extents);
    }
    failure = ext2fs_write_new_inode(fs, number, &inode);
    if (!failure) failure = inherit_label(fs, folder, number);
    *created = number;
    return failure;
}

long cext2_make_folder(
    cext2_filesystem *filesystem, uint32_t folder, const char *name, uint16_t permissions, uint32_t *created) {
    ext2_filsys fs = handle(filesystem);
    ext2_ino_t number = 0;
    errcode_t failure = ext2fs_new_inode(fs, folder, LINUX_S_IFDIR | permissions, NULL, &number);
    if (failure) return failure;
    failure = ext2fs_mkdir(fs, folder, number, name);
    if (failure == EXT2_ET_DIR_NO_SPACE) {
        failure = ext2fs_expand_dir(fs, folder);
        if (!failure) failure = ext2fs_mkdir(fs, folder, number, name);
    }
    struct ext2_inode inode;
    if (!failure) failure = ext2fs_read_inode(fs, number, &inode);
    if (failure) return failure;
    inode.i_mode = (__u16)(LINUX_S_IFDIR | permissions);
    failure = ext2fs_write_inode(fs, number, &inode);
    if (!failure) failure = inherit_label(fs, folder, number);
    *created = number;
    return failure;
}

long cext2_make_link(cext2_filesystem *filesystem, uint32_t folder, const char *name, const char *target) {
    ext2_filsys fs = handle(filesystem);
    ext2_ino_t number = 0;
    errcode_t failure = ext2fs_symlink(fs, folder, 0, name, target);
    if (failure == EXT2_ET_DIR_NO_SPACE) {
        failure = ext2fs_expand_dir(fs, folder);
        if (!failure) failure = ext2fs_symlink(fs, folder, 0, name, target);
    }
    if (!failure) failure = ext2fs_lookup(fs, folder, name, (int)strlen(name), NULL, &number);
    return failure ? failure : inherit_label(fs, folder, number);
}

long cext2_lookup(
    cext2_filesystem *filesystem, uint32_t folder, const uint8_t *name, size_t length, uint32_t *inode) {
    *inode = 0;
    errcode_t failure = ext2fs_lookup(handle(filesystem), folder, (const char *)name, (int)length, NULL, inode);
    return failure == EXT2_ET_FILE_NOT_FOUND ? 0 : failure;
}

struct journal {
    cext2_run run;
    void *context;
    uint64_t first, count;
};

static int visit_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t number, blk64_t reference, int offset, void *data) {
    (void)fs, (void)reference, (void)offset;
    struct journal *journal = data;
    // Blocks of the map, and the superblock.
    if (number < 1) return 0;
    if (journal->count && *block == journal->first + journal->count) {
        journal->count++;
        return 0;
    }
    if (journal->count && journal->run(journal->context, journal->first, journal->count)) return BLOCK_ABORT;
    journal->first = *block;
    journal->count = 1;
    return 0;
}

long cext2_idle_journal(cext2_filesystem *filesystem, cext2_run run, void *context) {
    ext2_filsys fs = handle(filesystem);
    struct journal journal = {run, context, 0, 0};
    ext2_ino_t number = fs->super->s_journal_inum;
    if (!ext2fs_has_feature_journal(fs->super) || number == 0) return 0;
    if (ext2fs_has_feature_journal_needs_recovery(fs->super)) return 0;
    uint8_t super[64];
    size_t got = 0;
    errcode_t failure = cext2_read(filesystem, number, 0, super, sizeof super, &got);
    if (failure) return failure;
    // A journal (big-endian: magic number, then from byte 28 where the log begins) that is empty begins at block 0.
    static const uint8_t magic[4] = {0xc0, 0x3b, 0x39, 0x98}, nowhere[4] = {0};
    if (got != sizeof super || memcmp(super, magic, 4) != 0 || memcmp(super + 28, nowhere, 4) != 0) return 0;
    failure = ext2fs_block_iterate3(fs, number, BLOCK_FLAG_READ_ONLY, NULL, visit_block, &journal);
    if (!failure && journal.count) run(context, journal.first, journal.count);
    return failure;
}
