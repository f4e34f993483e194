#define _GNU_SOURCE
#include "tree.h"

#include <errno.h>
#include <fts.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int if_open_in_root(int folder, const char *path, uint64_t flags, uint64_t mode) {
    struct open_how how = {
        .flags = flags,
        .mode = mode,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    // The kernel gives up on ".." when any rename or mount of the machine came between (openat2(2)).
    long opened;
    unsigned tries = 0;
    do {
        if (tries > 16) nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        opened = syscall(SYS_openat2, folder, path, &how, sizeof how);
    } while (opened < 0 && errno == EAGAIN && ++tries < 10000);
    return (int)opened;
}

/// Bytes that one entry takes, in whole blocks.
static uint64_t entry_bytes(const struct stat *facts, uint64_t block) {
    uint64_t size = (uint64_t)facts->st_size;
    switch (facts->st_mode & S_IFMT) {
    case S_IFREG: {
        uint64_t whole = (size + block - 1) / block * block;
        // Each of a file's names counts its share; rounded up, for the estimate must not be too small.
        return facts->st_nlink > 1 ? (whole + facts->st_nlink - 1) / facts->st_nlink : whole;
    }
    // A folder of many names takes more than one block; on tmpfs its size says how many names there are.
    case S_IFDIR: return size * 2 / block * block > block ? size * 2 / block * block : block;
    // Links of up to 59 bytes lie in the inode.
    case S_IFLNK: return size > 59 ? block : 0;
    default: return 0;
    }
}

int if_measure_tree(const char *path, uint64_t block, uint64_t *bytes, uint64_t *inodes) {
    char *const paths[] = {(char *)path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (walk == NULL) return -1;
    *bytes = *inodes = 0;
    int failure = 0;
    FTSENT *entry;
    while (failure == 0 && (errno = 0, entry = fts_read(walk)) != NULL) {
        switch (entry->fts_info) {
        case FTS_DP: break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS: failure = entry->fts_errno; break;
        default:
            *bytes += entry_bytes(entry->fts_statp, block);
            *inodes += 1;
        }
    }
    if (failure == 0) failure = errno;
    fts_close(walk);
    errno = failure;
    return failure == 0 ? 0 : -1;
}
