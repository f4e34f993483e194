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
