// zstd (https://facebook.github.io/zstd/) and zlib (https://zlib.net/).
#pragma once
#include <zlib.h>
#include <zstd.h>
