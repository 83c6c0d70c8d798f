#include "CPrelude.h"
#include <string.h>

#define PRELUDE(name) { #name, name, sizeof name }

static const char hello[] = {
#embed "../Host/Prelude/hello.lua"
};

static const struct { const char *name, *text; size_t length; } preludes[] = {
    PRELUDE(hello),
};

const char *chost_prelude(const char *name, size_t *length) {
    for (size_t i = 0; i < sizeof preludes / sizeof *preludes; i++)
        if (strcmp(preludes[i].name, name) == 0) {
            *length = preludes[i].length;
            return preludes[i].text;
        }
    return NULL;
}
