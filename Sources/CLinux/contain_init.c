// PID 1 of a containment, and the command it runs.
#define _GNU_SOURCE
#include "contain.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_limit(int resource, unsigned long long value, const char *name) {
    if (!value) return;
    struct rlimit limit, old;
    if (getrlimit(resource, &old) == 0 && value > old.rlim_max) value = old.rlim_max;
    limit.rlim_cur = limit.rlim_max = value;
    if (setrlimit(resource, &limit) != 0) if_contain_fail(errno, NULL, "cannot limit %s", name);
}

static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/// Becomes the command.
static void __attribute__((noreturn)) run_command(const struct if_containment *containment) {
    const struct rlimit no_core = {0, 0};
    setsid();
    setrlimit(RLIMIT_CORE, &no_core);
    set_limit(RLIMIT_AS, containment->limit_as, "the address space");
    set_limit(RLIMIT_CPU, containment->limit_cpu, "the processor time");
    set_limit(RLIMIT_FSIZE, containment->limit_fsize, "the size of files");
    if (containment->nice && setpriority(PRIO_PROCESS, 0, containment->nice) != 0)
        if_contain_fail(errno, NULL, "cannot set the priority");
    if (containment->work && setenv("TMPDIR", "/mnt/tmp", 1) != 0) if_contain_fail(errno, NULL, "no memory");
    if (chdir(containment->folder ? containment->folder : "/") != 0)
        if_contain_fail(errno, NULL, "cannot enter %s", containment->folder ? containment->folder : "/");
    if (dup2(containment->input_descriptor, 0) != 0) if_contain_fail(errno, NULL, "cannot set standard input");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) if_contain_fail(errno, NULL, "cannot renounce new privileges");
    reset_signals();
    execvp(containment->command[0], containment->command);
    if_contain_fail(errno, NULL, "cannot run %s", containment->command[0]);
}

/// Collects every process that has ended. Exits with the status of the command when it is among them.
static void reap(pid_t command, pid_t relay) {
    int status;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
        if (ended == command) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        if (ended == relay) if_contain_fail(0, NULL, "the guest's network relay has ended");
    }
}

/// Starts the relay, whose ports are open before the command runs. Returns 0 if there is to be none.
static pid_t start_relay(const struct if_containment *containment) {
    struct if_relay relay;
    if (!containment->relay) return 0;
    if_contain_open_relay(&relay, containment->relay);
    pid_t process = fork();
    if (process < 0) if_contain_fail(errno, NULL, "cannot start the relay");
    if (process == 0) if_contain_relay(containment, &relay);
    if_contain_close_relay(&relay);
    return process;
}

/// Whether the other end of `descriptor` has closed; what comes through it means nothing and is dropped.
static int has_closed(const struct pollfd *entry) {
    char bytes[256];
    if (entry->fd < 0 || !entry->revents) return 0;
    if (entry->revents & POLLIN) return read(entry->fd, bytes, sizeof bytes) == 0;
    return (entry->revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void if_contain_init(const struct if_containment *containment, int outer) {
    // The outer process has one thread, so its death is meant; if it died before this call, its pipe says so.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    if_contain_mount(containment);
    if (containment->private_network) if_contain_loopback();
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    int children = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
    if (children < 0) if_contain_fail(errno, NULL, "cannot watch for children");
    pid_t relay = start_relay(containment), command = fork();
    if (command < 0) if_contain_fail(errno, NULL, "cannot start the command");
    if (command == 0) run_command(containment);

    struct pollfd entries[] = {
        {.fd = containment->lifeline, .events = POLLIN}, {.fd = outer, .events = POLLIN},
        {.fd = children, .events = POLLIN}};
    for (;;) {
        struct signalfd_siginfo information;
        if (poll(entries, 3, -1) < 0) {
            if (errno == EINTR) continue;
            if_contain_fail(errno, NULL, "cannot wait");
        }
        if (has_closed(&entries[0]) || has_closed(&entries[1])) _exit(128 + SIGKILL);
        while (read(children, &information, sizeof information) > 0) {}
        reap(command, relay);
    }
}
