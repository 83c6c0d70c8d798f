// Linked into programs that are built with ThreadSanitizer: what it has to be told of libraries that are not instrumented.
#include <dlfcn.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define REAL(name) dlsym(RTLD_NEXT, name)

// Where Swift's library orders threads. A `Mutex` is locked and unlocked by code that is compiled into ours, and seen, as
// long as no two threads meet; these functions of the library do the rest.

void __tsan_acquire(void *);
void __tsan_release(void *);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK);
SWIFT void unlock_slow(SELF) __asm__(UNLOCK);

SWIFT void lock_slow(uint32_t thread, SELF) {
    static SWIFT void (*real)(uint32_t, SELF);
    if (!real) real = REAL(LOCK);
    real(thread, self);
    __tsan_acquire(self);
}

SWIFT bool try_lock_slow(SELF) {
    static SWIFT bool (*real)(SELF);
    if (!real) real = REAL(TRY_LOCK);
    bool locked = real(self);
    if (locked) __tsan_acquire(self);
    return locked;
}

SWIFT void unlock_slow(SELF) {
    static SWIFT void (*real)(SELF);
    if (!real) real = REAL(UNLOCK);
    __tsan_release(self);
    real(self);
}

// The sanitizer keeps a signal until the thread calls a function of libc, which `while true do end` never does: where no
// hook is set, one makes such a call now and then.

static void call_libc(lua_State *L, lua_Debug *frame) {
    (void)L, (void)frame;
    time(NULL);
}

void lua_sethook(lua_State *L, lua_Hook hook, int mask, int count) {
    static void (*real)(lua_State *, lua_Hook, int, int);
    if (!real) real = REAL("lua_sethook");
    if (hook && mask) real(L, hook, mask, count);
    else real(L, call_libc, LUA_MASKCOUNT, 10000);
}

lua_State *lua_newstate(lua_Alloc allocate, void *owner) {
    static lua_State *(*real)(lua_Alloc, void *);
    if (!real) real = REAL("lua_newstate");
    lua_State *L = real(allocate, owner);
    if (L) lua_sethook(L, NULL, 0, 0);
    return L;
}
