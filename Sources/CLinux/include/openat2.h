// openat2(2), which glibc does not wrap.
#ifndef CLINUX_OPENAT2_H
#define CLINUX_OPENAT2_H

#include <fts.h>
#include <stdint.h>

/// O_PATH of open(2), which glibc shows to GNU sources only.
enum { if_path_only = 010000000 };

/// Opens a path with the folder as its root: absolute links and `..` stay below it (RESOLVE_IN_ROOT), and magic links
/// are refused. Returns the descriptor, or -1 with errno set.
int if_open_in_root(int folder, const char *path, uint64_t flags, uint64_t mode);

#endif
