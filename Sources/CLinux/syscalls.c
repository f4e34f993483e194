#define _GNU_SOURCE
#include "clinux.h"

#include <fcntl.h>
#include <unistd.h>

int if_punch_hole(int descriptor, off_t offset, off_t length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

off_t if_seek_data(int descriptor, off_t offset) { return lseek(descriptor, offset, SEEK_DATA); }

off_t if_seek_hole(int descriptor, off_t offset) { return lseek(descriptor, offset, SEEK_HOLE); }

int if_open_place(int folder, const char *name) {
    return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int if_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
