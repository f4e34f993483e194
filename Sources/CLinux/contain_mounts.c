// What the contained processes see: the host's tree, its own /proc, a work space in memory at /mnt, and binds.
#define _GNU_SOURCE
#include "contain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORK "/mnt"

/// Opens one bind. Not recursive; where the source has mounts below it that this user may not uncover, the kernel
/// refuses that, and they come along.
static void open_bind(struct if_bind *bind) {
    struct stat status;
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, deep = 0;
    bind->tree = open_tree(AT_FDCWD, bind->source, flags);
    if (bind->tree < 0 && errno == EINVAL) {
        deep = AT_RECURSIVE;
        bind->tree = open_tree(AT_FDCWD, bind->source, flags | deep);
    }
    if (bind->tree < 0) if_contain_fail(errno, NULL, "cannot open %s", bind->source);
    struct mount_attr attributes = {
        .attr_set = bind->read_only ? MOUNT_ATTR_RDONLY : 0, .propagation = MS_PRIVATE};
    if (mount_setattr(bind->tree, "", AT_EMPTY_PATH | deep, &attributes, sizeof attributes) != 0)
        if_contain_fail(errno, NULL, "cannot set the mount attributes of %s", bind->source);
    if (fstat(bind->tree, &status) != 0) if_contain_fail(errno, NULL, "cannot look at %s", bind->source);
    bind->is_folder = S_ISDIR(status.st_mode);
}

void if_contain_open_binds(struct if_containment *containment) {
    for (size_t i = 0; i < containment->bind_count; i++) open_bind(&containment->binds[i]);
}

void if_contain_map_binds(const struct if_containment *containment, pid_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", process);
    int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0) return;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)space};
    for (size_t i = 0; i < containment->bind_count; i++)
        if (containment->binds[i].read_only)
            (void)mount_setattr(containment->binds[i].tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
    close(space);
}

/// Makes the folders above `path`.
static void make_parents(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) if_contain_fail(errno, NULL, "cannot make %s", copy);
        *slash = '/';
    }
}

/// Makes the place of a bind, if it is in the work space: nothing is made on the host.
static void make_target(const struct if_containment *containment, const struct if_bind *bind) {
    if (!containment->work || strncmp(bind->target, WORK "/", sizeof WORK) != 0) return;
    if (strstr(bind->target, "/..") || strlen(bind->target) >= PATH_MAX)
        if_contain_fail(0, NULL, "%s is no place for a bind", bind->target);
    make_parents(bind->target);
    if (bind->is_folder) {
        if (mkdir(bind->target, 0755) != 0 && errno != EEXIST)
            if_contain_fail(errno, NULL, "cannot make %s", bind->target);
        return;
    }
    int descriptor = open(bind->target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) if_contain_fail(errno, NULL, "cannot make %s", bind->target);
    close(descriptor);
}

static void mount_work(unsigned long long size) {
    char options[96];
    snprintf(options, sizeof options, "size=%llu,mode=0755,nr_inodes=0", size);
    // Trees with set-user-id files are made here, and they run programs: neither nosuid nor noexec.
    if (mount("tmpfs", WORK, "tmpfs", MS_NODEV, options) != 0)
        if_contain_fail(errno, NULL, "cannot mount %llu bytes of memory at " WORK, size);
    if (mkdir(WORK "/tmp", 01777) != 0 || chmod(WORK "/tmp", 01777) != 0)
        if_contain_fail(errno, NULL, "cannot make " WORK "/tmp");
}

/// Lets the user networking of a guest ask the relay for names. It reads the address of its server from this file.
static void mount_resolver(void) {
    static const char text[] = "nameserver 127.0.0.1\n", place[] = "/etc/resolv.conf", file[] = WORK "/.resolv.conf";
    int descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor < 0 || write(descriptor, text, sizeof text - 1) != sizeof text - 1)
        if_contain_fail(errno, NULL, "cannot make %s", file);
    close(descriptor);
    if (mount(file, place, NULL, MS_BIND, NULL) != 0)
        if_contain_fail(errno, "make it, if only as an empty file", "cannot put another file in the place of %s", place);
}

void if_contain_mount(const struct if_containment *containment) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) if_contain_fail(errno, NULL, "cannot detach the mounts");
    // Where the host hides parts of its /proc, as containers do, the kernel gives no new one: the host's stays.
    (void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (containment->work) mount_work(containment->work);
    for (size_t i = 0; i < containment->bind_count; i++) {
        const struct if_bind *bind = &containment->binds[i];
        make_target(containment, bind);
        if (move_mount(bind->tree, "", AT_FDCWD, bind->target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
            if_contain_fail(errno, NULL, "cannot bind %s to %s", bind->source, bind->target);
        close(bind->tree);
    }
    if (containment->relay) mount_resolver();
}

void if_contain_loopback(void) {
    struct ifreq request = {0};
    strcpy(request.ifr_name, "lo");
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || ioctl(descriptor, SIOCGIFFLAGS, &request) != 0)
        if_contain_fail(errno, NULL, "cannot look at the loopback interface");
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    if (ioctl(descriptor, SIOCSIFFLAGS, &request) != 0) if_contain_fail(errno, NULL, "cannot turn loopback on");
    close(descriptor);
}
