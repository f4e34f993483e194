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

/// openat(2) with O_PATH | O_NOFOLLOW | O_CLOEXEC. Returns the descriptor, or -1 with errno set.
int if_open_place(int folder, const char *name);

/// pipe2(2) with O_CLOEXEC: the reading end, then the writing end. Returns 0, or -1 with errno set.
int if_pipe(int ends[2]);

/// Puts the terminal `descriptor` into raw mode and remembers how it was. Signals that end the process restore it
/// first, then do what they did before. One terminal at a time. Returns 0, or -1 with errno set.
int if_terminal_enter_raw(int descriptor);

/// Restores the terminal and the signals; nothing if that has been done.
void if_terminal_restore(void);

/// The entry of the helper mode `__contain`: sets up namespaces, then runs a command as the child of an
/// init of its own. Never returns to Swift code.
int if_contain_main(int count, char *const arguments[]);

#endif
