// The part of the bridge that may raise Lua errors. Swift never raises: it returns a code, and the C functions here raise
// once the Swift frame is gone. Everything that Swift calls here either cannot raise or runs protected.
#ifndef CLUASHIM_H
#define CLUASHIM_H
#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma clang assume_nonnull begin

// What a Swift entry returns: the number of results, or one of these.
enum {
    CHOST_ERROR = -1,    // `message` of the state, prefixed with the position of the calling Lua line
    CHOST_RETHROW = -2,  // the Lua value in error slot `thrown` of the state
    CHOST_RETRY = -3,    // native memory is short: collect everything and call again, once
    CHOST_MEMORY = -4,   // Lua itself is out of memory
    CHOST_EXIT = -5,     // leave the process with `exit_status`
};
// Stack slots that a Swift function may push without asking.
enum { CHOST_STACK = 32, CHOST_ERROR_SLOTS = 16 };

// A kind of userdata: its address is the identity that blocks are checked against.
typedef struct chost_type {
    const char *name;
    int metatable;  // reference in the registry
    void (*_Nullable release)(void *object);  // lets go of an object whose block is gone, where a type has its own way
} chost_type;

// What a userdata block holds: one retained Swift object. NULL once closed. Blocks have no __gc: the allocator lets go of
// the object when Lua frees the block (state.c), which spares the collector a queue and a call for each.
typedef struct chost_box {
    const void *magic;
    void *_Nullable object;
    chost_type *type;
} chost_box;

// Computes with objects straight from their blocks; an operand that is NULL is the number. The result is a retained object
// (in place: any but NULL), or NULL when it does not want to: then nothing has happened.
typedef void *_Nullable (*chost_quick)(void *context, void *_Nullable a, void *_Nullable b, double number);

// A native function: what upvalue 1 of its closure points to.
typedef struct chost_function {
    void *swift;
    int params;                   // slots 1...params exist when Swift is entered
    int boxes;                    // empty result blocks made before Swift is entered, above the parameters
    chost_type *_Nullable result; // of this type
    int arranged;                 // set while a fast function runs: how high the stack was once its arguments were put in order
    // Tried first when the arguments are just this many operands (1 or 2): objects of one type, or one of them and a number.
    int operands;
    chost_type *_Nullable operand;
    chost_quick _Nullable quick;
    void *_Nullable context;
} chost_function;

typedef struct chost_state {
    lua_State *_Nullable main;
    lua_State *_Nullable current;  // the thread on which the innermost native function was called
    lua_State *_Nullable running;  // the thread whose code is running: what a signal must hook
    int (*enter)(lua_State *L, chost_function *function, int count);
    int (*arrange)(lua_State *L, chost_function *function, int count);
    void (*retain)(void *object);
    void (*release)(void *object);
    void (*_Nullable opening)(void *_Nullable owner, const char *path);  // told of each Lua file before it is read
    void *_Nullable opening_owner;

    char *_Nullable message;  // the message of CHOST_ERROR; lives here so that raising it cannot leak
    size_t message_length, message_capacity;
    uint64_t errors;          // error values kept so far; value n lies in slot n % CHOST_ERROR_SLOTS
    uint64_t thrown;
    bool rethrown;            // the next error raised had its traceback taken already
    int exit_status;
    sig_atomic_t stop_signal;  // see chost_interrupted
    // A script that watches for SIGTERM has this long to end by itself; 0: it is stopped at once.
    volatile sig_atomic_t grace_ms;
    volatile sig_atomic_t terminating;  // SIGTERM came, and the time of grace runs

    // Native memory, as counted by the host: bytes ever allocated, bytes in use.
    const long *_Nullable allocated;
    const long *_Nullable live;
    long paid, budget;

    // Lua's own heap. `fail_after` counts down to the first allocation that fails; negative: none does.
    size_t heap, heap_limit;
    long fail_after;

    // The address range that userdata blocks come from: how much of it was ever used, and what was given back.
    char *_Nullable blocks, *_Nullable blocks_end, *_Nullable blocks_fresh;
    void *_Nullable blocks_free;
    size_t block_size;  // of a block with Lua's own header; 0 until it is known
} chost_state;

// State
chost_state *_Nullable chost_open(size_t heap_limit);
// Closes Lua; the struct itself stays, for threads that still poll its flag.
void chost_shut(chost_state *S);
void chost_close(chost_state *S);
int chost_open_libraries(chost_state *S);
static inline chost_state *chost_of(lua_State *L) { return *(chost_state **)lua_getextraspace(L); }
bool chost_set_message(chost_state *S, const char *_Nullable text, size_t length);

// Native functions and userdata
int chost_make_function(chost_state *S, lua_State *L, chost_function *function);
int chost_make_declared(chost_state *S, lua_State *L, chost_function *function);
int chost_make_type(chost_state *S, lua_State *L, chost_type *type, chost_function *_Nullable field,
                    chost_function *_Nullable index, chost_function *_Nullable assign,
                    chost_function *_Nullable closing);
extern const char chost_magic;

// The object of a userdata of this type at a stack index, or NULL. The type is read from the block, not from the
// metatable, so that nothing a script does to metatables can pass one type for another.
static inline chost_box *_Nullable chost_box_at(lua_State *L, int index) {
    chost_box *box = (chost_box *)lua_touserdata(L, index);  // or whatever else is userdata; NULL for other values
    chost_state *S = chost_of(L);
    return (char *)box >= S->blocks && (char *)box < S->blocks_end && box->magic == &chost_magic ? box : NULL;
}
static inline void *_Nullable chost_object(lua_State *L, int index, const chost_type *type) {
    chost_box *box = chost_box_at(L, index);
    return box && box->type == type ? box->object : NULL;
}
// Puts the retained object into a block made beforehand and pushes that; false: no such block.
static inline bool chost_fill(lua_State *L, int index, const chost_type *type, void *object) {
    chost_box *box = (chost_box *)lua_touserdata(L, index);
    if (!box || box->type != type || box->object) return false;
    box->object = object;
    lua_pushvalue(L, index);
    return true;
}

// Protected calls: LUA_OK, or another status; then the error value lies in error slot `errors` of the state.
int chost_push_string(chost_state *S, lua_State *L, const char *text, size_t length);
int chost_push_object(chost_state *S, lua_State *L, const chost_type *type, void *object);
int chost_push_stream(chost_state *S, lua_State *L, const uint8_t *ops, size_t length);
int chost_push_integers(chost_state *S, lua_State *L, const int64_t *values, size_t count);
int chost_push_numbers(chost_state *S, lua_State *L, const double *values, size_t count);
int chost_push_table(chost_state *S, lua_State *L, int list, int fields);
int chost_reference(chost_state *S, lua_State *L, int index, int *reference);
void chost_release_reference(lua_State *L, int reference);
int chost_call(chost_state *S, lua_State *L, int arguments, int results);
int chost_load(chost_state *S, lua_State *L, const char *text, size_t length, const char *name);
int chost_load_file(chost_state *S, lua_State *L, const char *_Nullable path);
int chost_get_field(chost_state *S, lua_State *L, int index, const char *name, size_t length);
int chost_get_index(chost_state *S, lua_State *L, int index, int64_t key);
int chost_set_field(chost_state *S, lua_State *L, int index, const char *name, size_t length);
int chost_set_raw(chost_state *S, lua_State *L, int index);
int chost_length(chost_state *S, lua_State *L, int index, int64_t *length);
int chost_to_string(chost_state *S, lua_State *L, int index);
int chost_weak_table(chost_state *S, lua_State *L);
int chost_intern(chost_state *S, lua_State *L, const void *key, const char *text);
int chost_require(chost_state *S, lua_State *L, const char *name);

// Error values
void chost_push_error(chost_state *S, lua_State *L, uint64_t number);
void chost_drop_error(chost_state *S, lua_State *L, uint64_t number);
void chost_push_traceback(chost_state *S, lua_State *L, uint64_t number);

// Interrupts
// The signal that asked the script to stop, or 0. Set by a signal handler, read by any thread.
static inline int chost_interrupted(const chost_state *S) { return __atomic_load_n(&S->stop_signal, __ATOMIC_RELAXED); }
void chost_handle_signals(chost_state *_Nullable S);
// While no state handles them, SIGINT and SIGTERM are only noted, or (false) end the program as they do at its start.
void chost_note_signals(bool on);
// The last SIGINT or SIGTERM that was handled or noted; 0: none came.
int chost_received_signal(void);
void chost_interrupt(chost_state *S, int signal);
void chost_clear_interrupt(chost_state *S);
// From any thread: stops whatever script runs with handled signals as the signal CHOST_STOP_SIGNAL.
enum { CHOST_STOP_SIGNAL = SIGUSR1 };
void chost_stop_running(void);

// Standard output and error
void chost_write(bool error, const char *text, size_t length);
void chost_flush(void);
void chost_flush_lines(void);

// Macros of lua.h that Swift cannot see. `chost_drop` only takes values that nothing marked to be closed.
static inline const char *_Nullable chost_string(lua_State *L, int index, size_t *length) {
    return lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, length) : NULL;
}
static inline int chost_upvalue(int n) { return lua_upvalueindex(n); }
static inline int chost_registry(void) { return LUA_REGISTRYINDEX; }
static inline void chost_drop(lua_State *L, int count) { lua_settop(L, -count - 1); }
static inline void chost_remove(lua_State *L, int index) { lua_rotate(L, index, -1); lua_settop(L, -2); }
static inline int64_t chost_heap_bytes(lua_State *L) {
    return (int64_t)lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB);
}
static inline void chost_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }

// Everything in lua.h that may raise is closed to Swift.
#define CHOST_RAISES __attribute__((availability(swift, unavailable, message = "may raise; use a chost_ function")))
LUA_API void(lua_settop)(lua_State *L, int idx) CHOST_RAISES;
LUA_API int(lua_error)(lua_State *L) CHOST_RAISES;
LUA_API int(lua_getglobal)(lua_State *L, const char *name) CHOST_RAISES;
LUA_API int(lua_gettable)(lua_State *L, int idx) CHOST_RAISES;
LUA_API int(lua_getfield)(lua_State *L, int idx, const char *k) CHOST_RAISES;
LUA_API int(lua_geti)(lua_State *L, int idx, lua_Integer n) CHOST_RAISES;
LUA_API void(lua_setglobal)(lua_State *L, const char *name) CHOST_RAISES;
LUA_API void(lua_settable)(lua_State *L, int idx) CHOST_RAISES;
LUA_API void(lua_setfield)(lua_State *L, int idx, const char *k) CHOST_RAISES;
LUA_API void(lua_seti)(lua_State *L, int idx, lua_Integer n) CHOST_RAISES;
LUA_API void(lua_rawset)(lua_State *L, int idx) CHOST_RAISES;
LUA_API void(lua_rawseti)(lua_State *L, int idx, lua_Integer n) CHOST_RAISES;
LUA_API void(lua_rawsetp)(lua_State *L, int idx, const void *p) CHOST_RAISES;
LUA_API void(lua_createtable)(lua_State *L, int narr, int nrec) CHOST_RAISES;
LUA_API void *(lua_newuserdatauv)(lua_State *L, size_t sz, int nuvalue) CHOST_RAISES;
LUA_API const char *(lua_pushstring)(lua_State *L, const char *_Nullable s) CHOST_RAISES;
LUA_API const char *(lua_pushlstring)(lua_State *L, const char *s, size_t len) CHOST_RAISES;
LUA_API void(lua_pushcclosure)(lua_State *L, lua_CFunction fn, int n) CHOST_RAISES;
LUA_API void(lua_callk)(lua_State *L, int nargs, int nresults, lua_KContext ctx, lua_KFunction _Nullable k) CHOST_RAISES;
LUA_API int(lua_pcallk)(lua_State *L, int nargs, int nresults, int errfunc, lua_KContext ctx,
                        lua_KFunction _Nullable k) CHOST_RAISES;
LUA_API int(lua_yieldk)(lua_State *L, int nresults, lua_KContext ctx, lua_KFunction _Nullable k) CHOST_RAISES;
LUA_API void(lua_len)(lua_State *L, int idx) CHOST_RAISES;
LUA_API void(lua_concat)(lua_State *L, int n) CHOST_RAISES;
LUA_API void(lua_arith)(lua_State *L, int op) CHOST_RAISES;
LUA_API int(lua_compare)(lua_State *L, int idx1, int idx2, int op) CHOST_RAISES;
LUA_API void(lua_toclose)(lua_State *L, int idx) CHOST_RAISES;
LUA_API void(lua_closeslot)(lua_State *L, int idx) CHOST_RAISES;
LUA_API const char *(lua_tolstring)(lua_State *L, int idx, size_t *_Nullable len) CHOST_RAISES;
LUA_API lua_State *(lua_newthread)(lua_State *L) CHOST_RAISES;

#pragma clang assume_nonnull end
#endif
