#include "cext2.h"

#include <ext2fs/ext2fs.h>
#include <string.h>

static ext2_filsys handle(cext2_filesystem *filesystem) { return (ext2_filsys)filesystem; }

void cext2_layout_of(cext2_filesystem *filesystem, struct cext2_layout *layout) {
    ext2_filsys fs = handle(filesystem);
    layout->groups = fs->group_desc_count;
    layout->inodes_per_group = EXT2_INODES_PER_GROUP(fs->super);
    layout->inode_size = EXT2_INODE_SIZE(fs->super);
    layout->inode_table_blocks = fs->inode_blocks_per_group;
    layout->descriptor_size = EXT2_DESC_SIZE(fs->super);
    layout->reserved_descriptor_blocks = fs->super->s_reserved_gdt_blocks;
}

void cext2_group_of(cext2_filesystem *filesystem, uint32_t number, struct cext2_group *group) {
    ext2_filsys fs = handle(filesystem);
    memset(group, 0, sizeof *group);
    blk64_t superblock = 0, old_descriptors = 0, new_descriptors = 0;
    ext2fs_super_and_bgd_loc2(fs, number, &superblock, &old_descriptors, &new_descriptors, NULL);
    group->has_superblock = ext2fs_bg_has_super(fs, number);
    group->superblock = superblock;
    if (new_descriptors) {
        uint32_t each = EXT2_DESC_PER_BLOCK(fs->super);
        group->descriptors = new_descriptors;
        group->descriptor_blocks = 1;
        group->first_descriptor = each ? number / each * each : 0;
    } else if (old_descriptors) {
        group->descriptors = old_descriptors;
        group->descriptor_blocks =
            ext2fs_has_feature_meta_bg(fs->super) ? fs->super->s_first_meta_bg : (uint32_t)fs->desc_blocks;
    }
    group->block_bitmap = ext2fs_block_bitmap_loc(fs, number);
    group->inode_bitmap = ext2fs_inode_bitmap_loc(fs, number);
    group->inode_table = ext2fs_inode_table_loc(fs, number);
}

struct claims {
    const uint64_t *blocks;
    size_t count;
    uint64_t budget;
    cext2_claim claim;
    void *context;
    uint32_t inode;
    int is_over;
};

static void look(struct claims *claims, uint64_t block, int64_t number) {
    size_t low = 0, high = claims->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (claims->blocks[middle] < block) low = middle + 1;
        else high = middle;
    }
    if (low == claims->count || claims->blocks[low] != block) return;
    if (claims->claim(claims->context, block, claims->inode, number)) claims->is_over = 1;
}

static int visit_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t number, blk64_t reference, int offset, void *data) {
    (void)fs, (void)reference, (void)offset;
    struct claims *claims = data;
    if (claims->budget == 0) claims->is_over = 1;
    else claims->budget--;
    if (!claims->is_over) look(claims, *block, number < 0 ? cext2_block_map : number);
    return claims->is_over ? BLOCK_ABORT : 0;
}

long cext2_claims(
    cext2_filesystem *filesystem, const uint64_t *blocks, size_t count, uint64_t budget, cext2_claim claim,
    void *context, int *is_complete) {
    ext2_filsys fs = handle(filesystem);
    struct claims claims = {blocks, count, budget, claim, context, 0, 0};
    ext2_inode_scan scan = NULL;
    errcode_t failure = ext2fs_open_inode_scan(fs, 0, &scan);
    while (!failure && !claims.is_over) {
        struct ext2_inode inode;
        failure = ext2fs_get_next_inode(scan, &claims.inode, &inode);
        if (failure == EXT2_ET_INODE_CSUM_INVALID || failure == EXT2_ET_INODE_IS_GARBAGE) {
            failure = 0;
            continue;
        }
        if (failure || claims.inode == 0) break;
        if (inode.i_links_count == 0) continue;
        blk64_t attributes = ext2fs_file_acl_block(fs, &inode);
        if (attributes) look(&claims, attributes, cext2_attributes_block);
        if (!ext2fs_inode_has_valid_blocks2(fs, &inode)) continue;
        // What cannot be walked owns nothing that could be told.
        (void)ext2fs_block_iterate3(fs, claims.inode, BLOCK_FLAG_READ_ONLY, NULL, visit_block, &claims);
    }
    if (scan) ext2fs_close_inode_scan(scan);
    *is_complete = !claims.is_over;
    return failure;
}
