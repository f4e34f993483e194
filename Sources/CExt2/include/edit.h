// Changes to filesystems of the ext family inside disk files. All functions return 0 or an error code for
// cext2_message.
#pragma once
#include "cext2.h"

// Opens the filesystem at `offset` of the file for reading and writing, with its bitmaps. What is written gets the time
// of the filesystem's last change: the same edits give the same bytes whenever they are made. Refuses with
// cext2_unsupported what could not be kept right, and names it.
long cext2_open_for_editing(const char *path, uint64_t offset, cext2_filesystem **opened, const char **unsupported);

// The result of cext2_open_for_editing where a feature is in the way.
enum { cext2_unsupported = -1 };

// Writes everything that is still in memory. The filesystem stays open.
long cext2_flush(cext2_filesystem *filesystem);

// Whether files are removed that were still open, or a check is due: e2fsck has to be run first.
int cext2_wants_check(cext2_filesystem *filesystem);

// Whether the filesystem counts what users have, which only e2fsck corrects after a change.
int cext2_has_quota(cext2_filesystem *filesystem);

// Makes an entry of a folder an empty one; its name is overwritten. Other entries stay where they are, so the hash tree
// of a large folder remains valid.
long cext2_unlink(cext2_filesystem *filesystem, uint32_t folder, const uint8_t *name, size_t length);

// Makes all entries of a folder but "." and ".." empty ones.
long cext2_unlink_all(cext2_filesystem *filesystem, uint32_t folder);

// Takes one name from an inode. With the last one its blocks and attributes are freed and the inode is overwritten with
// zeroes. A folder goes at once; its parent has to be told by cext2_lose_folders.
long cext2_release(cext2_filesystem *filesystem, uint32_t inode);

// `count` folders less are in this one.
long cext2_lose_folders(cext2_filesystem *filesystem, uint32_t folder, uint32_t count);

// Replaces the content of a regular file: owner, mode and attributes stay.
long cext2_replace(cext2_filesystem *filesystem, uint32_t inode, const uint8_t *bytes, size_t count);

// Makes a regular, empty file of root in a folder that has no such name; with the folder's SELinux label, if any.
long cext2_create(
    cext2_filesystem *filesystem, uint32_t folder, const char *name, uint16_t permissions, uint32_t *inode);

// Makes a folder of root in a folder that has no such name; with the parent's SELinux label, if any.
long cext2_make_folder(
    cext2_filesystem *filesystem, uint32_t folder, const char *name, uint16_t permissions, uint32_t *inode);

// Makes a symbolic link in a folder that has no such name; with the folder's SELinux label, if any.
long cext2_make_link(cext2_filesystem *filesystem, uint32_t folder, const char *name, const char *target);

// The inode that an entry leads to, 0 if there is none of that name.
long cext2_lookup(
    cext2_filesystem *filesystem, uint32_t folder, const uint8_t *name, size_t length, uint32_t *inode);

// Called for each run of blocks of the journal that hold nothing, that is all but its superblock if there is nothing to be
// replayed.
long cext2_idle_journal(cext2_filesystem *filesystem, cext2_run run, void *context);
