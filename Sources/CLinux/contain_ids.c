// Namespaces and the ids in them.
//
//   who      --ids     0 is            1…65536 are                     the maps are written by
//   user     caller    the caller      –                               itself
//   user     range     the caller      /etc/subuid, /etc/subgid        newuidmap, newgidmap
//   root     both      1878982656      1878982657… (65535 of them)     the mapper, which is root outside
#define _GNU_SOURCE
#include "contain.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_file(const char *path, const char *text) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t written = write(descriptor, text, strlen(text));
    int error = errno;
    close(descriptor);
    errno = error;
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

/// Finds the caller's first range of at least 65535 ids in `path`, whose lines are `NAME OR UID:START:COUNT`.
static void find_range(const char *path, uid_t user, unsigned long *start, unsigned long *count) {
    char number[16], hint[192], line[512];
    snprintf(number, sizeof number, "%u", user);
    const struct passwd *account = getpwuid(user);
    const char *name = account ? account->pw_name : number;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        char *rest = strchr(line, ':');
        if (!rest) continue;
        *rest++ = 0;
        if (strcmp(line, name) != 0 && strcmp(line, number) != 0) continue;
        if (sscanf(rest, "%lu:%lu", start, count) != 2 || *count < IF_ID_COUNT - 1) continue;
        if (*count > IF_ID_COUNT) *count = IF_ID_COUNT;
        fclose(file);
        return;
    }
    int error = file ? 0 : errno;
    if (file) fclose(file);
    const char *option = strcmp(path, "/etc/subuid") == 0 ? "--add-subuids" : "--add-subgids";
    snprintf(hint, sizeof hint, "as root: usermod %s FIRST-LAST %s, 65536 ids that nothing else uses", option, name);
    if_contain_fail(error, hint, "%s has no range of %u ids for %s", path, IF_ID_COUNT - 1, name);
}

/// Runs `newuidmap` or `newgidmap` for `process`.
static void run_mapper(const char *program, pid_t process, unsigned own, unsigned long start, unsigned long count) {
    char target[16], inside[16], first[24], length[24];
    snprintf(target, sizeof target, "%d", process);
    snprintf(inside, sizeof inside, "%u", own);
    snprintf(first, sizeof first, "%lu", start);
    snprintf(length, sizeof length, "%lu", count);
    pid_t child = fork();
    if (child < 0) if_contain_fail(errno, NULL, "cannot start %s", program);
    if (child == 0) {
        execlp(program, program, target, "0", inside, "1", "1", first, length, (char *)NULL);
        if_contain_fail(errno, "install it: apt-get install uidmap", "cannot run %s", program);
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFEXITED(status) && WEXITSTATUS(status) == 125) _exit(125);
    if (status != 0) if_contain_fail(0, NULL, "%s failed for the ids %lu and following", program, start);
}

static void map_as_root(pid_t process) {
    const char *names[] = {"uid_map", "gid_map"};
    for (size_t i = 0; i < 2; i++) {
        char path[64], map[64];
        snprintf(path, sizeof path, "/proc/%d/%s", process, names[i]);
        snprintf(map, sizeof map, "0 %u %u\n", IF_ROOT_BASE, IF_ID_COUNT);
        if (write_file(path, map) != 0)
            if_contain_fail(
                errno, "run it as an ordinary user, or as root outside of a container",
                "root may not map the ids from %u here", IF_ROOT_BASE);
    }
}

/// The mapper: waits until `process` is in its user namespace, then writes its maps. Exits with 0 or 125.
static void run_mapping(const struct if_containment *containment, pid_t process, int entered) {
    char byte;
    unsigned long start = 0, count = 0;
    if (read(entered, &byte, 1) != 1) _exit(125);
    if (containment->user == 0) {
        map_as_root(process);
        if_contain_map_binds(containment, process);
        _exit(0);
    }
    find_range("/etc/subuid", containment->user, &start, &count);
    run_mapper("newuidmap", process, containment->user, start, count);
    find_range("/etc/subgid", containment->user, &start, &count);
    run_mapper("newgidmap", process, containment->group, start, count);
    _exit(0);
}

/// The maps of an ordinary user with no id but its own; its supplementary groups stay in force.
static void map_caller(const struct if_containment *containment) {
    char map[32];
    if (write_file("/proc/self/setgroups", "deny") != 0) if_contain_fail(errno, NULL, "cannot fix the groups");
    snprintf(map, sizeof map, "0 %u 1\n", containment->user);
    if (write_file("/proc/self/uid_map", map) != 0) if_contain_fail(errno, NULL, "cannot map user %u", containment->user);
    snprintf(map, sizeof map, "0 %u 1\n", containment->group);
    if (write_file("/proc/self/gid_map", map) != 0) if_contain_fail(errno, NULL, "cannot map group %u", containment->group);
}

static void unshare_namespaces(const struct if_containment *containment) {
    int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;
    if (containment->private_network) flags |= CLONE_NEWNET;
    if (unshare(flags) != 0)
        if_contain_fail(
            errno, "allow user namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
                   "kernel.apparmor_restrict_unprivileged_userns",
            "cannot make namespaces");
}

void if_contain_enter(struct if_containment *containment) {
    int mapper_needed = containment->range || containment->user == 0;
    int entered[2] = {-1, -1};
    pid_t outer = getpid(), mapper = -1;
    if (mapper_needed) {
        if (pipe(entered) != 0) if_contain_fail(errno, NULL, "cannot make a pipe");
        mapper = fork();
        if (mapper < 0) if_contain_fail(errno, NULL, "cannot start the mapper");
        if (mapper == 0) {
            close(entered[1]);
            run_mapping(containment, outer, entered[0]);
        }
        close(entered[0]);
    }
    unshare_namespaces(containment);
    if (mapper_needed) {
        int status;
        if (write(entered[1], "", 1) != 1) if_contain_fail(errno, NULL, "lost the mapper");
        while (waitpid(mapper, &status, 0) < 0 && errno == EINTR) {}
        close(entered[1]);
        if (status != 0) _exit(125);
    } else {
        map_caller(containment);
    }
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) if_contain_fail(errno, NULL, "cannot become root inside");
    if (containment->user != 0) if_contain_open_binds(containment);
}
