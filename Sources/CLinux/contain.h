// The parts of the containment: one C process, one thread, no Swift runtime in use. See contain.c for the sequence.
#ifndef CLINUX_CONTAIN_H
#define CLINUX_CONTAIN_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

/// The host id that a containment of root uses for its own root; 65536 ids follow. It is the first of the
/// ranges that systemd keeps for containers (0x70000000), so no account has it.
#define IF_ROOT_BASE 1878982656U
#define IF_ID_COUNT 65536U

/// The way out for a root that is none on the host, because it is in a user namespace itself.
#define IF_NESTED_HINT "run it as an ordinary user, or as root outside of a container"

/// A file or folder of the host that the contained processes see at `target`.
struct if_bind {
    const char *source;
    const char *target;
    int read_only;
    /// A detached mount of `source`.
    int tree;
    int is_folder;
};

struct if_containment {
    int range;
    int private_network;
    /// The Unix socket, as seen inside, to which what a guest asks for is relayed; NULL: no relay.
    const char *relay;
    /// Bytes of the memory file system at /mnt; 0 = none.
    unsigned long long work;
    struct if_bind *binds;
    size_t bind_count;
    const char *folder;
    const char *input;
    int input_descriptor;
    /// 0 = no limit.
    unsigned long long limit_as, limit_cpu, limit_fsize;
    int nice;
    /// The pipe whose other end the parent holds; -1 if standard input is none.
    int lifeline;
    uid_t user;
    gid_t group;
    char *const *command;
};

/// Writes `image-factory: containment: MESSAGE[: ERRNO TEXT][ (hint: HINT)]` on standard error and exits with 125.
void if_contain_fail(int error, const char *hint, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/// Fills in `containment` from the options, or fails.
void if_contain_parse(struct if_containment *containment, int count, char *const arguments[]);

/// Enters new namespaces with mapped ids. Returns in the outer process, which is then root of them.
void if_contain_enter(struct if_containment *containment);

/// Makes a detached mount for every bind. As root before the namespaces are entered, else after.
void if_contain_open_binds(struct if_containment *containment);

/// Lets the files of root below the read-only binds appear as those of the contained root, where the file
/// system can do it. `process` is in the new user namespace.
void if_contain_map_binds(const struct if_containment *containment, pid_t process);

/// Mounts what the contained processes see: /proc, the work space, the binds.
void if_contain_mount(const struct if_containment *containment);

/// Turns the loopback interface of a new network namespace on.
void if_contain_loopback(void);

#define IF_RELAY_PORTS 3

/// The sockets of the relay.
struct if_relay {
    const char *path;
    int listeners[IF_RELAY_PORTS], names, watch;
};

/// Makes every IPv4 address local and listens there; `path` is that of the proxy's socket. The loopback interface is on.
void if_contain_open_relay(struct if_relay *relay, const char *path);
void if_contain_close_relay(const struct if_relay *relay);

/// Relays connections and answers questions for names, until the PID namespace ends. See contain_relay.c.
void if_contain_relay(const struct if_containment *containment, const struct if_relay *relay)
    __attribute__((noreturn));

/// The init of the PID namespace: runs the command and ends with it, with the lifeline, or with the outer
/// process, which holds the other end of `outer`.
void if_contain_init(const struct if_containment *containment, int outer) __attribute__((noreturn));

#endif
