// The C streams that Lua's print writes to: everything of the program goes through them, so that order is kept.
#include "Private.h"
#include <stdio.h>

void chost_write(bool error, const char *text, size_t length) {
    if (error) fflush(stdout);
    fwrite(text, 1, length, error ? stderr : stdout);
}

void chost_flush(void) { fflush(stdout); }

void chost_flush_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }
