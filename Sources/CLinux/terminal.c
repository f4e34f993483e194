// A terminal in raw mode that is never left so: C, because a signal handler may do next to nothing.
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>

static const int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
#define FATAL_COUNT (sizeof fatal / sizeof *fatal)

static struct termios saved;
static struct sigaction before[FATAL_COUNT];
static volatile sig_atomic_t terminal = -1;

static void restore_terminal(void) {
    int descriptor = terminal;
    terminal = -1;
    if (descriptor >= 0) tcsetattr(descriptor, TCSANOW, &saved);
}

static void handle(int number) {
    int error = errno;
    restore_terminal();
    for (size_t i = 0; i < FATAL_COUNT; i++)
        if (fatal[i] == number) sigaction(number, &before[i], NULL);
    raise(number);
    errno = error;
}

void if_terminal_restore(void) {
    if (terminal < 0) return;
    restore_terminal();
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        struct sigaction now;
        if (sigaction(fatal[i], NULL, &now) == 0 && now.sa_handler == handle) sigaction(fatal[i], &before[i], NULL);
    }
}

int if_terminal_enter_raw(int descriptor) {
    static int registered;
    struct termios raw;
    if (terminal >= 0) {
        errno = EBUSY;
        return -1;
    }
    if (tcgetattr(descriptor, &saved) != 0) return -1;
    if (!registered && atexit(restore_terminal) == 0) registered = 1;
    terminal = descriptor;
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
        sigaction(fatal[i], NULL, &before[i]);
        // What is ignored does not end the process.
        if (before[i].sa_handler != SIG_IGN) sigaction(fatal[i], &action, NULL);
    }
    raw = saved;
    cfmakeraw(&raw);
    if (tcsetattr(descriptor, TCSANOW, &raw) != 0) {
        int error = errno;
        if_terminal_restore();
        errno = error;
        return -1;
    }
    return 0;
}
