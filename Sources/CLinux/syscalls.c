#define _GNU_SOURCE
#include "clinux.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int if_punch_hole(int descriptor, off_t offset, off_t length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

off_t if_seek_data(int descriptor, off_t offset) { return lseek(descriptor, offset, SEEK_DATA); }

off_t if_seek_hole(int descriptor, off_t offset) { return lseek(descriptor, offset, SEEK_HOLE); }

int if_clone_file(int source, int target) { return ioctl(target, FICLONE, source); }

int if_is_cached(int descriptor, off_t offset, size_t count) {
    // glibc and older kernels' headers have neither the call, 451 on all architectures, nor its structures.
    struct { uint64_t offset, count; } range = {(uint64_t)offset, count};
    struct { uint64_t cached, dirty, written, evicted, lately_evicted; } pages;
    if (syscall(451, descriptor, &range, &pages, 0) != 0) return -1;
    return pages.cached * (uint64_t)sysconf(_SC_PAGESIZE) >= count;
}

int if_open_direct(int descriptor) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
}

int if_set_direct(int descriptor, int direct) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(descriptor, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT);
}

int if_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int if_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC); }

int if_open_place(int folder, const char *name) {
    return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int if_can_clone(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) == 0 && (facts.f_type == BTRFS_SUPER_MAGIC || facts.f_type == XFS_SUPER_MAGIC);
}
