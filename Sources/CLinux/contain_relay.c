// The network of a guest, inside its containment. Every IPv4 address is local there, so that whatever the guest's
// user networking asks for ends here:
//
//   UDP 53            any name is 10.0.2.2, which user networking takes to 127.0.0.1
//   TCP 80, 443, 3128 relayed to the parent's Unix socket, after a line that says where the guest wanted to go
//   anything else     refused by the kernel; the parent is told of it once for each address and port
//
//   guest ── user networking of QEMU ── this process ── Unix socket ── the parent's proxy
//
// The lines: `to tcp ADDRESS PORT` before the guest's bytes, `refused tcp|udp ADDRESS PORT` on a connection that then
// closes. One process, one thread, fixed buffers: a guest can occupy all connections, and with that only itself.
#define _GNU_SOURCE
#include "contain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define BUFFER 16384
/// What a guest may take to read the rest of an answer whose sender is gone.
#define DRAIN_SECONDS 60
/// Of the different destinations that the parent is told of.
#define REFUSALS 64

static const uint16_t ports[IF_RELAY_PORTS] = {80, 443, 3128};

/// Bytes on their way in one direction.
struct stream {
    size_t start, end;
    /// The source has no more; the target was told so.
    int finished, passed_on;
    char bytes[BUFFER];
};

struct connection {
    /// -1: the place is free.
    int guest, proxy;
    struct stream up, down;
    /// When the proxy's end came, in seconds of the monotonic clock.
    time_t drain_since;
};

static struct connection connections[CONNECTIONS];

struct refusal {
    uint32_t address;
    uint16_t port;
    uint8_t protocol;
};

static struct refusal refusals[REFUSALS];
static size_t refusal_count;

// The set-up, by the init.

/// Makes every IPv4 address one of this namespace: `ip route add local default dev lo`.
static void route_everything_here(void) {
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint32_t interface;
    } request = {
        .header = {
            .nlmsg_len = sizeof request, .nlmsg_type = RTM_NEWROUTE,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK},
        .route = {
            .rtm_family = AF_INET, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_BOOT,
            .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL},
        .attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF},
        .interface = if_nametoindex("lo"),
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } answer;
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0 || send(descriptor, &request, sizeof request, 0) != sizeof request)
        if_contain_fail(errno, NULL, "cannot set the guest's route");
    ssize_t count = recv(descriptor, &answer, sizeof answer, 0);
    if (count < (ssize_t)(sizeof answer.header + sizeof answer.error.error) ||
        answer.header.nlmsg_type != NLMSG_ERROR || answer.error.error != 0)
        if_contain_fail(count < 0 ? errno : -answer.error.error, NULL, "cannot set the guest's route");
    close(descriptor);
}

static int open_port(int type, uint32_t address, uint16_t port) {
    int on = 1;
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    int descriptor = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(descriptor, (struct sockaddr *)&place, sizeof place) != 0 ||
        (type == SOCK_STREAM && listen(descriptor, CONNECTIONS) != 0))
        if_contain_fail(errno, NULL, "cannot listen on port %u for the guest", port);
    return descriptor;
}

/// Sees the first packet of each attempt to reach something: TCP with SYN and without ACK, and UDP. -1 where there are
/// no packet sockets: then refusals stay unknown.
static int open_watch(void) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 7, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 4),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 96),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    struct sockaddr_ll place = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex("lo")};
    int descriptor = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0 &&
        bind(descriptor, (struct sockaddr *)&place, sizeof place) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

void if_contain_open_relay(struct if_relay *relay, const char *path) {
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path) if_contain_fail(0, NULL, "--relay: the path is too long");
    relay->path = path;
    route_everything_here();
    for (size_t i = 0; i < IF_RELAY_PORTS; i++) relay->listeners[i] = open_port(SOCK_STREAM, INADDR_ANY, ports[i]);
    relay->names = open_port(SOCK_DGRAM, INADDR_LOOPBACK, 53);
    relay->watch = open_watch();
}

void if_contain_close_relay(const struct if_relay *relay) {
    for (size_t i = 0; i < IF_RELAY_PORTS; i++) close(relay->listeners[i]);
    close(relay->names);
    if (relay->watch >= 0) close(relay->watch);
}

// Names.

/// Turns a question of `count` bytes into its answer in place (RFC 1035). Returns its length, or 0 for what is none.
static size_t answer_name(unsigned char *message, size_t count, size_t capacity) {
    static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 2, 2};
    // A question: no response, a standard query, exactly one name.
    if (count < 12 || message[2] & 0xf8 || message[4] != 0 || message[5] != 1) return 0;
    size_t at = 12;
    while (at < count && message[at] != 0) {
        // Longer labels, and those that point elsewhere, are in no question.
        if (message[at] > 63 || at > 12 + 254) return 0;
        at += 1 + (size_t)message[at];
    }
    if (at + 5 > count) return 0;
    unsigned type = (unsigned)message[at + 1] << 8 | message[at + 2];
    unsigned class = (unsigned)message[at + 3] << 8 | message[at + 4];
    at += 5;
    int has_address = (type == 1 || type == 255) && class == 1;
    if (has_address && at + sizeof record > capacity) return 0;
    // A response, recursion as asked for and available, no error.
    message[2] = (unsigned char)(0x80 | (message[2] & 1));
    message[3] = 0x80;
    memset(message + 6, 0, 6);
    if (has_address) {
        message[7] = 1;
        memcpy(message + at, record, sizeof record);
        at += sizeof record;
    }
    return at;
}

static void serve_names(int descriptor) {
    unsigned char message[1024];
    for (int turn = 0; turn < 32; turn++) {
        struct sockaddr_in sender;
        socklen_t size = sizeof sender;
        ssize_t count = recvfrom(descriptor, message, sizeof message, 0, (struct sockaddr *)&sender, &size);
        if (count < 0) return;
        size_t length = answer_name(message, (size_t)count, sizeof message);
        if (length) (void)sendto(descriptor, message, length, MSG_NOSIGNAL, (struct sockaddr *)&sender, size);
    }
}

// Connections.

static time_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/// A connection to the parent's proxy, or -1.
static int reach_proxy(const char *path) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    snprintf(place.sun_path, sizeof place.sun_path, "%s", path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&place, sizeof place) == 0) return descriptor;
    close(descriptor);
    return -1;
}

static int write_line(char *line, size_t size, const char *word, const char *protocol, uint32_t address, unsigned port) {
    char text[INET_ADDRSTRLEN];
    struct in_addr place = {.s_addr = address};
    inet_ntop(AF_INET, &place, text, sizeof text);
    return snprintf(line, size, "%s %s %s %u\n", word, protocol, text, port);
}

static void accept_guest(int listener, const char *path) {
    struct connection *connection = NULL;
    for (size_t i = 0; i < CONNECTIONS && !connection; i++)
        if (connections[i].guest < 0) connection = &connections[i];
    if (!connection) return;
    int guest = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (guest < 0) return;
    struct sockaddr_in wanted;
    socklen_t size = sizeof wanted;
    int proxy = getsockname(guest, (struct sockaddr *)&wanted, &size) == 0 ? reach_proxy(path) : -1;
    if (proxy < 0) {
        close(guest);
        return;
    }
    connection->guest = guest;
    connection->proxy = proxy;
    connection->drain_since = 0;
    connection->up.start = connection->up.finished = connection->up.passed_on = 0;
    connection->down.start = connection->down.end = 0;
    connection->down.finished = connection->down.passed_on = 0;
    connection->up.end = (size_t)write_line(
        connection->up.bytes, BUFFER, "to", "tcp", wanted.sin_addr.s_addr, ntohs(wanted.sin_port));
}

static void close_connection(struct connection *connection) {
    close(connection->guest);
    close(connection->proxy);
    connection->guest = connection->proxy = -1;
}

/// Moves what can be moved without waiting. Returns 0 if the connection is broken.
static int move_bytes(struct stream *stream, int source, int target) {
    if (stream->start == stream->end && !stream->finished) {
        ssize_t count = recv(source, stream->bytes, BUFFER, 0);
        if (count < 0 && errno != EAGAIN && errno != EINTR) return 0;
        if (count == 0) stream->finished = 1;
        stream->start = 0;
        stream->end = count > 0 ? (size_t)count : 0;
    }
    if (stream->start < stream->end) {
        ssize_t count = send(target, stream->bytes + stream->start, stream->end - stream->start, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR) return 0;
        if (count > 0) stream->start += (size_t)count;
    }
    if (stream->start == stream->end && stream->finished && !stream->passed_on) {
        stream->passed_on = 1;
        (void)shutdown(target, SHUT_WR);
    }
    return 1;
}

static void serve_connection(struct connection *connection) {
    int sound = move_bytes(&connection->up, connection->guest, connection->proxy) &&
                move_bytes(&connection->down, connection->proxy, connection->guest);
    if (connection->down.finished && !connection->drain_since) connection->drain_since = now();
    // What the proxy has said all of is at its end, whatever the guest still says.
    if (!sound || connection->down.passed_on) close_connection(connection);
}

// Refusals.

static void tell_refusal(const char *path, const struct refusal *refusal) {
    char line[96];
    int length = write_line(
        line, sizeof line, "refused", refusal->protocol == IPPROTO_UDP ? "udp" : "tcp", refusal->address,
        ntohs(refusal->port));
    int descriptor = reach_proxy(path);
    if (descriptor < 0) return;
    (void)send(descriptor, line, (size_t)length, MSG_NOSIGNAL);
    close(descriptor);
}

static int is_served(const struct refusal *refusal) {
    if (refusal->protocol == IPPROTO_UDP)
        return refusal->port == htons(53) && refusal->address == htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < IF_RELAY_PORTS; i++)
        if (refusal->port == htons(ports[i])) return 1;
    return 0;
}

static void watch_packets(int descriptor, const char *path) {
    unsigned char packet[96];
    for (int turn = 0; turn < 32; turn++) {
        struct sockaddr_ll sender;
        socklen_t size = sizeof sender;
        ssize_t count = recvfrom(descriptor, packet, sizeof packet, 0, (struct sockaddr *)&sender, &size);
        if (count < 0) return;
        size_t header = (size_t)(packet[0] & 15) * 4;
        // The loopback interface shows each packet twice.
        if (sender.sll_pkttype == PACKET_OUTGOING || count < 20 || header < 20 || header + 4 > (size_t)count) continue;
        struct refusal refusal = {.protocol = packet[9]};
        memcpy(&refusal.address, packet + 16, 4);
        memcpy(&refusal.port, packet + header + 2, 2);
        uint16_t source;
        memcpy(&source, packet + header, 2);
        // The answers to questions for names.
        if (refusal.protocol == IPPROTO_UDP && source == htons(53)) continue;
        int known = is_served(&refusal) || refusal_count == REFUSALS;
        for (size_t i = 0; i < refusal_count && !known; i++)
            known = refusals[i].address == refusal.address && refusals[i].port == refusal.port &&
                    refusals[i].protocol == refusal.protocol;
        if (known) continue;
        refusals[refusal_count++] = refusal;
        tell_refusal(path, &refusal);
    }
}

// The loop.

/// Gives up what root of the namespace may do, and what came with being a child of the init.
static void renounce(const struct if_containment *containment) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    close(0);
    close(1);
    if (containment->input_descriptor >= 0) close(containment->input_descriptor);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_capset, &header, none) != 0)
        if_contain_fail(errno, NULL, "the relay cannot renounce its privileges");
}

static short wants(const struct stream *in, const struct stream *out) {
    short events = 0;
    if (in->start == in->end && !in->finished) events |= POLLIN;
    if (out->start < out->end) events |= POLLOUT;
    return events;
}

/// Fills the entries of all connections. Returns whether there is room for another one.
static int prepare(struct pollfd *entries) {
    int room = 0;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct connection *connection = &connections[i];
        struct pollfd *pair = &entries[2 * i];
        pair[0] = pair[1] = (struct pollfd){.fd = -1};
        if (connection->guest < 0) {
            room = 1;
            continue;
        }
        short guest = wants(&connection->up, &connection->down), proxy = wants(&connection->down, &connection->up);
        // Without a wish an end that has hung up would wake the loop for ever.
        if (guest) pair[0] = (struct pollfd){.fd = connection->guest, .events = guest};
        if (proxy) pair[1] = (struct pollfd){.fd = connection->proxy, .events = proxy};
    }
    return room;
}

void if_contain_relay(const struct if_containment *containment, const struct if_relay *relay) {
    enum { NAMES = IF_RELAY_PORTS, WATCH, FIRST };
    struct pollfd entries[FIRST + 2 * CONNECTIONS];
    renounce(containment);
    for (size_t i = 0; i < CONNECTIONS; i++) connections[i].guest = connections[i].proxy = -1;
    entries[NAMES] = (struct pollfd){.fd = relay->names, .events = POLLIN};
    entries[WATCH] = (struct pollfd){.fd = relay->watch, .events = POLLIN};
    for (;;) {
        int room = prepare(entries + FIRST);
        for (size_t i = 0; i < IF_RELAY_PORTS; i++)
            entries[i] = (struct pollfd){.fd = room ? relay->listeners[i] : -1, .events = POLLIN};
        if (poll(entries, FIRST + 2 * CONNECTIONS, 10000) < 0 && errno != EINTR)
            if_contain_fail(errno, NULL, "the relay cannot wait");
        for (size_t i = 0; i < CONNECTIONS; i++) {
            struct connection *connection = &connections[i];
            const struct pollfd *pair = &entries[FIRST + 2 * i];
            if (connection->guest < 0) continue;
            if (pair[0].revents || pair[1].revents) serve_connection(connection);
            if (connection->guest >= 0 && connection->drain_since && now() - connection->drain_since > DRAIN_SECONDS)
                close_connection(connection);
        }
        if (entries[NAMES].revents) serve_names(relay->names);
        if (entries[WATCH].revents) watch_packets(relay->watch, relay->path);
        for (size_t i = 0; i < IF_RELAY_PORTS; i++)
            if (entries[i].revents) accept_guest(relay->listeners[i], relay->path);
    }
}
