#define _GNU_SOURCE
#include "clinux.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

int if_punch_hole(int descriptor, off_t offset, off_t length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

off_t if_seek_data(int descriptor, off_t offset) { return lseek(descriptor, offset, SEEK_DATA); }

off_t if_seek_hole(int descriptor, off_t offset) { return lseek(descriptor, offset, SEEK_HOLE); }

int if_clone_file(int source, int target) { return ioctl(target, FICLONE, source); }

ssize_t if_copy_range(int source, off_t from, int target, off_t to, size_t length) {
    return copy_file_range(source, &from, target, &to, length, 0);
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
