// What verify does in C: the search for many byte strings at once, at about the speed of memory, and crypt(3).
#pragma once
#include <stddef.h>
#include <stdint.h>

struct cscan_pattern {
    const uint8_t *bytes;
    // At least 4.
    size_t length;
};

// A range of the file: `end` is behind its last byte.
struct cscan_extent {
    uint64_t start, end;
};

struct cscan_hit {
    uint64_t offset;
    size_t pattern;
};

// Searches the extents (in order, disjoint) of an open file on `threads` threads. A match that begins in an extent is
// found though it ends in a later one that follows at once. Fills in at most `capacity` hits, in no order.
// Returns the number of hits, at most `capacity`, or -1 with errno set.
long cscan_file(
    int descriptor, const struct cscan_extent *extents, size_t extent_count, const struct cscan_pattern *patterns,
    size_t pattern_count, int threads, struct cscan_hit *hits, size_t capacity);

// Whether crypt(3) makes `hash` of the password: 1 if so, else 0, also where it does not know the kind of hash.
int cverify_password_matches(const char *password, const char *hash);
