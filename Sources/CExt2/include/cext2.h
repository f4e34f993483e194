// Filesystems of the ext family inside disk files, through libext2fs: nothing is mounted.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Sets every time of the filesystem at `offset` of the file to at most `epoch`: a later modification time becomes
// `epoch`, change, access and creation times become the modification time, and the times of the superblock become
// `epoch`. mke2fs -d copies them from the host, where they are those of the build.
// Returns 0 or an error code for cext2_message.
long cext2_settle_times(const char *path, uint64_t offset, uint64_t epoch);

// Static text for an error code: errno values too.
const char *cext2_message(long code);

// A filesystem that is open for reading. All functions below return 0 or an error code for cext2_message.
typedef struct cext2_filesystem cext2_filesystem;

// What the superblock says.
struct cext2_facts {
    uint64_t blocks;
    uint64_t first_block;
    uint32_t block_size;
    uint32_t inodes;
    // s_state: 1 clean, 2 errors were found.
    uint16_t state;
    uint16_t mounts;
    // The journal has something to be replayed.
    int needs_recovery;
    uint8_t uuid[16];
    char label[17];
    char last_mounted[65];
};

struct cext2_status {
    uint64_t size;
    int64_t modified;
    uint32_t user, group;
    uint32_t links;
    // Of device nodes.
    uint32_t major, minor;
    uint16_t mode;
};

// Opens the filesystem at `offset` of the file, read-only. Its checksums are checked whenever something is read.
long cext2_open(const char *path, uint64_t offset, cext2_filesystem **opened);
void cext2_close(cext2_filesystem *filesystem);

void cext2_facts_of(cext2_filesystem *filesystem, struct cext2_facts *facts);
long cext2_status_of(cext2_filesystem *filesystem, uint32_t inode, struct cext2_status *status);

// Called for each entry of a folder but "." and ".."; another value than 0 ends the listing.
typedef int (*cext2_entry)(void *context, const uint8_t *name, size_t length, uint32_t inode);
long cext2_list(cext2_filesystem *filesystem, uint32_t inode, cext2_entry entry, void *context);

// Reads up to `count` bytes of a file from `offset`; `got` is what there was.
long cext2_read(
    cext2_filesystem *filesystem, uint32_t inode, uint64_t offset, uint8_t *bytes, size_t count, size_t *got);

// The target of a symbolic link, at most `count` bytes of it.
long cext2_readlink(cext2_filesystem *filesystem, uint32_t inode, uint8_t *bytes, size_t count, size_t *got);

// Called for each extended attribute.
typedef int (*cext2_attribute)(void *context, const char *name, const uint8_t *value, size_t length);
long cext2_attributes(cext2_filesystem *filesystem, uint32_t inode, cext2_attribute attribute, void *context);

// Called for each longest run of free blocks, in order; another value than 0 ends it.
typedef int (*cext2_run)(void *context, uint64_t first, uint64_t count);
long cext2_free_runs(cext2_filesystem *filesystem, cext2_run run, void *context);

// The inodes whose content lies in these blocks (sorted), 0 where there is none.
long cext2_owners(cext2_filesystem *filesystem, const uint64_t *blocks, size_t count, uint32_t *inodes);

// The block that holds byte `offset` of a file, 0 if none does.
long cext2_block_of(cext2_filesystem *filesystem, uint32_t inode, uint64_t offset, uint64_t *block);

// Reads exactly `count` bytes from `offset` of a filesystem; what is behind its end is zero. Returns 0 or an errno value.
typedef int (*cext2_source)(void *context, uint64_t offset, uint8_t *bytes, size_t count);

// Opens the filesystem that `read` brings, read-only. Damaged checksums are no error: what differs is to be named in
// damaged filesystems too.
long cext2_open_source(cext2_source read, void *context, cext2_filesystem **opened);

// Where the structures of the filesystem lie.
struct cext2_layout {
    uint32_t groups;
    uint32_t inodes_per_group;
    uint32_t inode_size;
    uint32_t inode_table_blocks;
    uint32_t descriptor_size;
    uint32_t reserved_descriptor_blocks;
};

// The blocks of a group's structures; 0 where it has none of its own.
struct cext2_group {
    int has_superblock;
    uint64_t superblock;
    uint64_t descriptors;
    uint32_t descriptor_blocks;
    // The group that the first of its descriptors is of.
    uint32_t first_descriptor;
    uint64_t block_bitmap, inode_bitmap, inode_table;
};

void cext2_layout_of(cext2_filesystem *filesystem, struct cext2_layout *layout);
void cext2_group_of(cext2_filesystem *filesystem, uint32_t number, struct cext2_group *group);

// What an inode has a block for: content by its number in the file, or one of these.
enum { cext2_block_map = -1, cext2_attributes_block = -2 };

// Called for each of the blocks that an inode has; another value than 0 ends the search.
typedef int (*cext2_claim)(void *context, uint64_t block, uint32_t inode, int64_t number);

// Finds the inodes that have these blocks (sorted) in one pass over all inodes. `budget` is the most blocks that are
// looked at; `is_complete` is 0 if they were more.
long cext2_claims(
    cext2_filesystem *filesystem, const uint64_t *blocks, size_t count, uint64_t budget, cext2_claim claim,
    void *context, int *is_complete);
