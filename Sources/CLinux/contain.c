// The containment: `image-factory __contain OPTIONS -- PROGRAM ARGUMENTS`.
//
//   parent (Swift) ── lifeline ──┐
//     outer    holds privileges of the caller, enters the namespaces, waits
//       mapper writes the id maps from outside; ends
//       init   PID 1: mounts, runs the command, polls lifeline and outer; when it ends, the kernel ends all
//         command in a session of its own, without new privileges
#define _GNU_SOURCE
#include "contain.h"
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void if_contain_fail(int error, const char *hint, const char *format, ...) {
    char text[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    dprintf(
        2, "image-factory: containment: %s%s%s%s%s%s\n", text, error ? ": " : "", error ? strerror(error) : "",
        hint ? " (hint: " : "", hint ? hint : "", hint ? ")" : "");
    _exit(125);
}

/// Signals that end a containment, and the one that says it has ended, wait until they are asked for.
static sigset_t blocked_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGCHLD);
    return set;
}

/// Standard input as the lifeline, if it is something whose other end can close.
static int find_lifeline(void) {
    struct stat status;
    if (fstat(0, &status) != 0) return -1;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ? 0 : -1;
}

static void open_input(struct if_containment *containment) {
    const char *path = containment->input ? containment->input : "/dev/null";
    containment->input_descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (containment->input_descriptor < 0) if_contain_fail(errno, NULL, "cannot open %s", path);
}

/// What only root can do, before it gives its privileges up: of its groups only the one of KVM stays, and the
/// pipes go to the contained root, so that programs which open /dev/stdout or /dev/stderr anew may do so.
static void prepare_root(struct if_containment *containment) {
    struct stat status;
    gid_t group = stat("/dev/kvm", &status) == 0 ? status.st_gid : 0;
    if (setgroups(group ? 1 : 0, &group) != 0) if_contain_fail(errno, NULL, "cannot set the groups");
    for (int descriptor = 1; descriptor <= 2; descriptor++)
        if (fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode))
            (void)!fchown(descriptor, IF_ROOT_BASE, IF_ROOT_BASE);
    if_contain_open_binds(containment);
}

/// Waits for the init and ends it when a signal asks for it. Returns the exit status.
static int await_init(pid_t init, const sigset_t *signals) {
    int stopped = 0;
    for (;;) {
        int status;
        pid_t ended = waitpid(init, &status, WNOHANG);
        if (ended == init) {
            if (stopped) return 128 + stopped;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (ended < 0 && errno != EINTR) if_contain_fail(errno, NULL, "lost the init");
        int signal = sigwaitinfo(signals, NULL);
        if (signal > 0 && signal != SIGCHLD) {
            stopped = signal;
            kill(init, SIGKILL);
        }
    }
}

int if_contain_main(int count, char *const arguments[]) {
    struct if_containment containment;
    if_contain_parse(&containment, count, arguments);
    close_range(3, ~0U, 0);
    const sigset_t signals = blocked_signals();
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGCHLD, SIG_DFL);
    umask(022);
    containment.user = geteuid();
    containment.group = getegid();
    containment.lifeline = find_lifeline();
    open_input(&containment);
    if (containment.user == 0) prepare_root(&containment);
    if_contain_enter(&containment);

    int alive[2];
    if (pipe2(alive, O_CLOEXEC) != 0) if_contain_fail(errno, NULL, "cannot make a pipe");
    pid_t init = fork();
    if (init < 0) if_contain_fail(errno, NULL, "cannot start the init");
    if (init == 0) {
        close(alive[1]);
        if_contain_init(&containment, alive[0]);
    }
    close(alive[0]);
    _exit(await_init(init, &signals));
}
