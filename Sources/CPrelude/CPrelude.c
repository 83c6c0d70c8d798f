#include "CPrelude.h"
#include <string.h>

// A module is added in two lines: its text here, its name below.
static const char tensor[] = {
#embed "../Host/Prelude/tensor.lua"
};

#define PRELUDE(name) { #name, name, sizeof name }

static const struct { const char *name, *text; size_t length; } preludes[] = {
    PRELUDE(tensor),
};

const char *chost_prelude(const char *name, size_t *length) {
    for (size_t i = 0; i < sizeof preludes / sizeof *preludes; i++)
        if (strcmp(preludes[i].name, name) == 0) {
            *length = preludes[i].length;
            return preludes[i].text;
        }
    return NULL;
}
