// A Lua state: its allocator, its libraries, the slots that keep error values.
#include "Private.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

const char chost_slots_key, chost_trace_key;

// Userdata blocks have an address range of their own, so that the block of an object is known when Lua frees it, and
// so that making and freeing one is a push and a pop. Pages that were never used cost nothing.
static bool reserve_blocks(chost_state *S) {
    for (size_t size = (size_t)1 << 33; size >= (size_t)1 << 24; size >>= 1) {
        void *range = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED) continue;
        S->blocks = S->blocks_fresh = range;
        S->blocks_end = S->blocks + size;
        return true;
    }
    return false;
}

static void *take_block(chost_state *S) {
    char *block = S->blocks_free;
    if (block) {
        S->blocks_free = *(void **)block;
    } else {
        if ((size_t)(S->blocks_end - S->blocks_fresh) < S->block_size) return NULL;
        block = S->blocks_fresh;
        S->blocks_fresh += S->block_size;
    }
    ((chost_box *)(block + S->block_size - sizeof(chost_box)))->magic = NULL;
    return block;
}

static void give_block(chost_state *S, char *block) {
    chost_box *box = (chost_box *)(block + S->block_size - sizeof(chost_box));
    if (box->magic == &chost_magic && box->object) (box->type->release ? box->type->release : S->release)(box->object);
    *(void **)block = S->blocks_free;
    S->blocks_free = block;
}

static void *allocate(void *context, void *block, size_t old, size_t size) {
    chost_state *S = context;
    size_t tag = LUA_TNIL;
    if (block == NULL) {  // then `old` says what the block is for
        tag = old;
        old = 0;
    }
    if (size == 0) {
        if ((char *)block >= S->blocks && (char *)block < S->blocks_end) give_block(S, block);
        else free(block);
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
    void *moved;
    if (tag == LUA_TUSERDATA && size == S->block_size) {
        moved = take_block(S);
    } else {
        if (tag == LUA_TUSERDATA && S->block_size == 1) S->block_size = size;
        moved = realloc(block, size);
    }
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
    static bool middle, off;
    (void)context;
    if (!middle && !more && text[0] == '@') {  // control messages; warnings are on until a script turns them off
        if (strcmp(text, "@off") == 0) off = true;
        if (strcmp(text, "@on") == 0) off = false;
        return;
    }
    if (off) return;
    fprintf(stderr, "%s%s%s", middle ? "" : "host: warning: ", text, more ? "" : "\n");
    middle = more;
}

static int prepare(lua_State *L) {
    chost_of(L)->block_size = 1;  // asks the allocator to note how large this one is
    lua_newuserdatauv(L, sizeof(chost_box), 0);
    lua_pop(L, 1);
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
    lua_State *L = reserve_blocks(S) ? lua_newstate(allocate, S) : NULL;
    if (!L) {
        if (S->blocks) munmap(S->blocks, (size_t)(S->blocks_end - S->blocks));
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
    munmap(S->blocks, (size_t)(S->blocks_end - S->blocks));
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
