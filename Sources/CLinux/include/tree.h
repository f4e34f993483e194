// Trees that are not trusted: paths resolved inside them, and what they take.
#ifndef CLINUX_TREE_H
#define CLINUX_TREE_H

#include <stdint.h>

/// O_PATH of open(2), which glibc shows to GNU sources only.
enum { if_path_only = 010000000 };

/// Opens a path with the folder as its root: absolute links and `..` stay below it (RESOLVE_IN_ROOT), and magic links
/// are refused. Returns the descriptor, or -1 with errno set.
int if_open_in_root(int folder, const char *path, uint64_t flags, uint64_t mode);

/// Walks a tree without following links and counts what a filesystem with blocks of `block` bytes needs for it: bytes
/// in whole blocks, and inodes. A file with several names counts once. Returns 0, or -1 with errno set.
int if_measure_tree(const char *path, uint64_t block, uint64_t *bytes, uint64_t *inodes);

#endif
