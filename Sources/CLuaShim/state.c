// A Lua state: its allocator, its libraries, the slots that keep error values.
#include "Private.h"
#include <stdio.h>
#include <stdlib.h>

const char chost_slots_key, chost_trace_key;

static void *allocate(void *context, void *block, size_t old, size_t size) {
    chost_state *S = context;
    if (block == NULL) old = 0;  // then `old` is a type tag
    if (size == 0) {
        free(block);
        S->heap -= old;
        return NULL;
    }
    if (size > old) {
        if (S->fail_after >= 0 && --S->fail_after < 0) {
            S->fail_after = 0;  // memory stays short until the test says otherwise
            return NULL;
        }
        if (S->heap_limit && S->heap - old + size > S->heap_limit) return NULL;
    }
    void *moved = realloc(block, size);
    if (moved) S->heap += size - old;
    return moved;
}

// Only an error outside every protected call comes here: a mistake in this program, not in a script.
static int panic(lua_State *L) {
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error value is no string";
    fprintf(stderr, "host: unprotected Lua error: %s\n", text);
    return 0;
}

static void warn(void *context, const char *text, int more) {
    static bool middle;
    (void)context;
    if (!middle && !more && text[0] == '@') return;  // control messages: warnings are always on
    fprintf(stderr, "%s%s%s", middle ? "" : "host: warning: ", text, more ? "" : "\n");
    middle = more;
}

static int prepare(lua_State *L) {
    lua_createtable(L, CHOST_ERROR_SLOTS, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &chost_slots_key);
    lua_createtable(L, TRACED_TEXT, 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &chost_trace_key);
    return 0;
}

chost_state *chost_open(size_t heap_limit) {
    chost_state *S = calloc(1, sizeof *S);
    if (!S) return NULL;
    S->fail_after = -1;
    S->heap_limit = heap_limit;
    lua_State *L = lua_newstate(allocate, S);
    if (!L) {
        free(S);
        return NULL;
    }
    S->main = S->current = S->running = L;
    *(chost_state **)lua_getextraspace(L) = S;
    lua_atpanic(L, panic);
    lua_setwarnf(L, warn, S);
    lua_pushcfunction(L, prepare);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        chost_close(S);
        return NULL;
    }
    return S;
}

void chost_shut(chost_state *S) {
    chost_unhandle_signals(S);
    lua_State *L = S->main;
    if (L) lua_close(L);
    S->main = S->current = S->running = NULL;
}

void chost_close(chost_state *S) {
    chost_shut(S);
    free(S->message);
    free(S);
}

static int open_libraries(lua_State *L) {
    luaL_openlibs(L);
    chost_install_loaders(L);
    chost_install_coroutines(L);
    chost_guard_debug(L);
    return 0;
}

int chost_open_libraries(chost_state *S) {
    return chost_protected(S, S->main, open_libraries, S, 0, 0);
}

bool chost_set_message(chost_state *S, const char *text, size_t length) {
    if (length > S->message_capacity) {
        char *grown = realloc(S->message, length);
        if (!grown) length = S->message_capacity;  // a cut message beats none
        else {
            S->message = grown;
            S->message_capacity = length;
        }
    }
    if (length) memcpy(S->message, text, length);
    S->message_length = length;
    return true;
}
