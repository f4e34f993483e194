// Wu and Manber's search ("A fast algorithm for multi-pattern searching", 1994) with blocks of two bytes: a table says
// for each pair of bytes how far the window of the shortest pattern's length may move on. Most pairs are in no
// pattern, so most bytes are never looked at.
#include "cverify.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { chunk_size = 1 << 20, pair_count = 1 << 16 };

struct search {
    int descriptor;
    const struct cscan_pattern *patterns;
    size_t pattern_count;
    size_t shortest, longest;
    uint8_t shift[pair_count];
    // Patterns by the pair at the end of their window: the first of a chain, and the next one; -1 ends it.
    int32_t first[pair_count];
    int32_t *next;
    struct cscan_extent *chunks;
    size_t chunk_count;
    atomic_size_t next_chunk;
    atomic_int failure;
    pthread_mutex_t lock;
    struct cscan_hit *hits;
    size_t capacity, hit_count;
};

static unsigned pair(const uint8_t *bytes) { return (unsigned)bytes[0] | (unsigned)bytes[1] << 8; }

static void prepare(struct search *search) {
    search->shortest = SIZE_MAX;
    for (size_t i = 0; i < search->pattern_count; i++) {
        size_t length = search->patterns[i].length;
        if (length < search->shortest) search->shortest = length;
        if (length > search->longest) search->longest = length;
    }
    if (search->shortest > 128) search->shortest = 128;
    memset(search->shift, (int)(search->shortest - 1), sizeof search->shift);
    memset(search->first, 0xff, sizeof search->first);
    for (size_t i = 0; i < search->pattern_count; i++) {
        const uint8_t *bytes = search->patterns[i].bytes;
        for (size_t at = 0; at + 1 < search->shortest; at++) {
            size_t distance = search->shortest - 2 - at;
            unsigned key = pair(bytes + at);
            if (distance < search->shift[key]) search->shift[key] = (uint8_t)distance;
        }
        unsigned key = pair(bytes + search->shortest - 2);
        search->next[i] = search->first[key];
        search->first[key] = (int32_t)i;
    }
}

static void report(struct search *search, uint64_t offset, size_t pattern) {
    pthread_mutex_lock(&search->lock);
    if (search->hit_count < search->capacity)
        search->hits[search->hit_count++] = (struct cscan_hit){offset, pattern};
    pthread_mutex_unlock(&search->lock);
}

// Matches that begin before `owned`; `length` bytes are there.
static void search_bytes(
    struct search *search, const uint8_t *bytes, size_t length, size_t owned, uint64_t offset) {
    size_t window = search->shortest;
    for (size_t start = 0; start < owned && start + window <= length;) {
        const uint8_t *last = bytes + start + window - 2;
        unsigned distance = search->shift[pair(last)];
        if (distance) {
            start += distance;
            continue;
        }
        for (int32_t i = search->first[pair(last)]; i >= 0; i = search->next[i]) {
            const struct cscan_pattern *pattern = &search->patterns[i];
            if (pattern->length <= length - start && memcmp(bytes + start, pattern->bytes, pattern->length) == 0)
                report(search, offset + start, (size_t)i);
        }
        start++;
    }
}

static long read_fully(int descriptor, uint8_t *bytes, size_t count, uint64_t offset) {
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(descriptor, bytes + done, count - done, (off_t)(offset + done));
        if (got == 0) break;
        if (got < 0 && errno != EINTR) return -1;
        if (got > 0) done += (size_t)got;
    }
    return (long)done;
}

static void *work(void *data) {
    struct search *search = data;
    uint8_t *bytes = malloc(chunk_size + search->longest);
    if (!bytes) {
        atomic_store(&search->failure, ENOMEM);
        return NULL;
    }
    size_t index;
    while ((index = atomic_fetch_add(&search->next_chunk, 1)) < search->chunk_count
           && !atomic_load(&search->failure)) {
        struct cscan_extent chunk = search->chunks[index];
        size_t owned = (size_t)(chunk.end - chunk.start);
        // What follows the chunk is read too, be it data or a hole: a match may end there.
        long length = read_fully(search->descriptor, bytes, owned + search->longest - 1, chunk.start);
        if (length < 0) {
            atomic_store(&search->failure, errno);
            break;
        }
        search_bytes(search, bytes, (size_t)length, owned, chunk.start);
    }
    free(bytes);
    return NULL;
}

static int cut(struct search *search, const struct cscan_extent *extents, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (extents[i].end > extents[i].start)
            total += (size_t)((extents[i].end - extents[i].start - 1) / chunk_size) + 1;
    search->chunks = malloc((total + 1) * sizeof *search->chunks);
    if (!search->chunks) return -1;
    for (size_t i = 0; i < count; i++) {
        for (uint64_t at = extents[i].start; at < extents[i].end; at += chunk_size) {
            uint64_t end = extents[i].end - at > chunk_size ? at + chunk_size : extents[i].end;
            search->chunks[search->chunk_count++] = (struct cscan_extent){at, end};
        }
    }
    return 0;
}

static void run(struct search *search, int threads) {
    pthread_t others[16];
    int started = 0;
    while (started < threads - 1 && started < 16
           && pthread_create(&others[started], NULL, work, search) == 0)
        started++;
    work(search);
    while (started > 0) pthread_join(others[--started], NULL);
}

long cscan_file(
    int descriptor, const struct cscan_extent *extents, size_t extent_count, const struct cscan_pattern *patterns,
    size_t pattern_count, int threads, struct cscan_hit *hits, size_t capacity) {
    if (pattern_count == 0) return 0;
    for (size_t i = 0; i < pattern_count; i++) {
        if (patterns[i].length >= 4) continue;
        errno = EINVAL;
        return -1;
    }
    struct search *search = calloc(1, sizeof *search);
    if (!search) return -1;
    search->descriptor = descriptor;
    search->patterns = patterns;
    search->pattern_count = pattern_count;
    search->hits = hits;
    search->capacity = capacity;
    pthread_mutex_init(&search->lock, NULL);
    search->next = malloc(pattern_count * sizeof *search->next);
    int failure = ENOMEM;
    if (search->next && cut(search, extents, extent_count) == 0) {
        prepare(search);
        run(search, threads);
        failure = atomic_load(&search->failure);
    }
    long found = (long)search->hit_count;
    pthread_mutex_destroy(&search->lock);
    free(search->chunks);
    free(search->next);
    free(search);
    if (!failure) return found;
    errno = failure;
    return -1;
}
