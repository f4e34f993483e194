#include "cext2.h"

#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <stdlib.h>
#include <string.h>

// An I/O manager of libext2fs that reads what a function brings: filesystems inside of image formats.

struct source {
    cext2_source read;
    void *context;
};

// What the next channel of this thread reads: the library hands a manager nothing but a name.
static __thread struct source opening;

static errcode_t source_open(const char *name, int flags, io_channel *opened);

static errcode_t source_close(io_channel channel) {
    if (--channel->refcount > 0) return 0;
    free(channel->private_data);
    free(channel->name);
    free(channel);
    return 0;
}

static errcode_t source_set_blksize(io_channel channel, int size) {
    channel->block_size = size;
    return 0;
}

// A negative count is one of bytes.
static errcode_t source_read_blk64(io_channel channel, unsigned long long block, int count, void *data) {
    struct source *source = channel->private_data;
    uint64_t offset;
    if (__builtin_mul_overflow((uint64_t)block, (uint64_t)channel->block_size, &offset)) return EINVAL;
    size_t bytes = count < 0 ? (size_t)-(int64_t)count : (size_t)count * (size_t)channel->block_size;
    return source->read(source->context, offset, data, bytes);
}

static errcode_t source_read_blk(io_channel channel, unsigned long block, int count, void *data) {
    return source_read_blk64(channel, block, count, data);
}

static errcode_t refuse_write(io_channel channel, unsigned long block, int count, const void *data) {
    (void)channel, (void)block, (void)count, (void)data;
    return EROFS;
}

static errcode_t refuse_write64(io_channel channel, unsigned long long block, int count, const void *data) {
    (void)channel, (void)block, (void)count, (void)data;
    return EROFS;
}

static errcode_t source_flush(io_channel channel) {
    (void)channel;
    return 0;
}

static struct struct_io_manager source_manager = {
    .magic = EXT2_ET_MAGIC_IO_MANAGER,
    .name = "reads from a function",
    .open = source_open,
    .close = source_close,
    .set_blksize = source_set_blksize,
    .read_blk = source_read_blk,
    .write_blk = refuse_write,
    .flush = source_flush,
    .read_blk64 = source_read_blk64,
    .write_blk64 = refuse_write64,
};

static errcode_t source_open(const char *name, int flags, io_channel *opened) {
    (void)flags;
    io_channel channel = calloc(1, sizeof *channel);
    struct source *source = malloc(sizeof *source);
    char *copy = strdup(name);
    if (!channel || !source || !copy) {
        free(channel);
        free(source);
        free(copy);
        return ENOMEM;
    }
    *source = opening;
    channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
    channel->manager = &source_manager;
    channel->name = copy;
    channel->block_size = 1024;
    channel->refcount = 1;
    channel->private_data = source;
    *opened = channel;
    return 0;
}

long cext2_open_source(cext2_source read, void *context, cext2_filesystem **opened) {
    opening = (struct source){read, context};
    ext2_filsys fs = NULL;
    errcode_t failure =
        ext2fs_open2("disk", NULL, EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS, 0, 0, &source_manager, &fs);
    if (failure) return failure;
    *opened = (cext2_filesystem *)fs;
    return 0;
}
