#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile int report_to = -1;
static volatile pid_t owner = -1;

int if_wake_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

static void report(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    // A child between fork and exec still has this handler: its signals are not ours.
    if (getpid() == owner && write(report_to, &byte, 1) < 0) {
        // The pipe is full of signals already.
    }
    errno = saved;
}

int if_trap_signal(int number, int descriptor) {
    struct sigaction old;
    struct sigaction new = {.sa_handler = report, .sa_flags = SA_RESTART};
    sigemptyset(&new.sa_mask);
    report_to = descriptor;
    owner = getpid();
    if (sigaction(number, NULL, &old) < 0 || old.sa_handler == SIG_IGN) return -1;
    return sigaction(number, &new, NULL);
}

int if_untrap_signal(int number) {
    struct sigaction new = {.sa_handler = SIG_DFL};
    sigemptyset(&new.sa_mask);
    return sigaction(number, &new, NULL);
}
