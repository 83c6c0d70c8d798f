// The Lua part of the program (Sources/Host/Prelude/*.lua), embedded at compile time.
#ifndef CPRELUDE_H
#define CPRELUDE_H
#include <stddef.h>
// The source text of a prelude module and its length, or NULL when there is none of that name.
const char *_Nullable chost_prelude(const char *_Nonnull name, size_t *_Nonnull length);
#endif
