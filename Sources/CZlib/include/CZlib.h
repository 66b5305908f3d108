#pragma once
// zlib for Swift, which does not see the macros that zlib.h has in place of its initializers.
#include <zlib.h>

static inline int czlib_inflate_init(z_streamp stream) { return inflateInit(stream); }
static inline int czlib_deflate_init(z_streamp stream) { return deflateInit(stream, Z_BEST_SPEED); }
