// System calls that the Glibc module does not show, with the names they have in C.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// fallocate(2) with FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE. Returns 0, or -1 with errno set.
int if_punch_hole(int descriptor, off_t offset, off_t length);

/// lseek(2) with SEEK_DATA and SEEK_HOLE. Returns the offset, or -1 with errno set.
off_t if_seek_data(int descriptor, off_t offset);
off_t if_seek_hole(int descriptor, off_t offset);

/// ioctl(2) FICLONE: `target` shares the blocks of `source` from now on. Returns 0, or -1 with errno set.
int if_clone_file(int source, int target);

/// Whether a path is on a filesystem whose files can share blocks: btrfs or xfs.
int if_can_clone(const char *path);

/// cachestat(2): whether the page cache has all of a range of a file. 1 or 0, or -1 with errno set: ENOSYS before Linux 6.5.
int if_is_cached(int descriptor, off_t offset, size_t count);

/// Opens the file of a descriptor anew, for reading with O_DIRECT. Returns the descriptor, or -1 with errno set.
int if_open_direct(int descriptor);

/// Sets or clears O_DIRECT of an open file. Returns 0, or -1 with errno set.
int if_set_direct(int descriptor, int direct);

/// pipe2(2) with O_CLOEXEC: the reading end, then the writing end. Returns 0, or -1 with errno set.
int if_pipe(int ends[2]);

/// accept4(2) with SOCK_CLOEXEC. Returns the descriptor, or -1 with errno set.
int if_accept(int descriptor);

/// openat(2) with O_PATH | O_NOFOLLOW | O_CLOEXEC. Returns the descriptor, or -1 with errno set.
int if_open_place(int folder, const char *name);

/// Puts the terminal `descriptor` into raw mode and remembers how it was. Signals that end the process restore it
/// first, then do what they did before. One terminal at a time. Returns 0, or -1 with errno set.
int if_terminal_enter_raw(int descriptor);

/// Restores the terminal and the signals; nothing if that has been done.
void if_terminal_restore(void);

/// The entry of the helper mode `__contain`: sets up namespaces, then runs a command as the child of an
/// init of its own. Never returns to Swift code.
int if_contain_main(int count, char *const arguments[]);

/// pipe2(2) with O_CLOEXEC | O_NONBLOCK. Returns 0, or -1 with errno set.
int if_wake_pipe(int ends[2]);

/// From now on the signal writes its number as one byte to the descriptor (one for all signals; it must not block)
/// instead of ending this process. Children get the default action back when they exec. Returns 0, or -1 if the
/// signal is ignored by whoever started this process, and stays so.
int if_trap_signal(int number, int descriptor);

/// Gives the signal its default action back.
int if_untrap_signal(int number);

#endif
