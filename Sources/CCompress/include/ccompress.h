// Clusters of qcow2 files, compressed as QEMU does it: by zstd (https://facebook.github.io/zstd/) or by zlib
// (https://zlib.net/) as raw deflate with a window of 4 KiB. The same bytes give the same result on any thread: nothing is
// kept between two calls.
#pragma once
#include <stddef.h>

// Compresses `count` bytes into at most `room`. Returns the bytes written, 0 if they do not fit, or -1 if there is no
// memory.
long ccompress_zstd(void *target, size_t room, const void *source, size_t count);
long ccompress_zlib(void *target, size_t room, const void *source, size_t count);

// Decompresses exactly `count` bytes; the source may have other bytes behind them. Returns 0, or -1 if it is not sound.
int ccompress_zstd_reverse(void *target, size_t count, const void *source, size_t available);
int ccompress_zlib_reverse(void *target, size_t count, const void *source, size_t available);

// The versions of the libraries that are loaded.
const char *ccompress_zstd_version(void);
const char *ccompress_zlib_version(void);

// Decompresses a zstd file piece by piece. A frame may ask for a window of 128 MiB.
typedef struct ccompress_zstd_stream ccompress_zstd_stream;
ccompress_zstd_stream *ccompress_zstd_open(void);
void ccompress_zstd_close(ccompress_zstd_stream *stream);

// Takes bytes from the source and puts some into the target; `taken` and `put` are how many. Returns 0 at the end of a
// frame, 1 if there is more of it, -1 if the bytes are not sound.
int ccompress_zstd_read(
    ccompress_zstd_stream *stream, void *target, size_t room, const void *source, size_t available, size_t *taken,
    size_t *put);
