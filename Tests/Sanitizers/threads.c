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

// Swift's reference counts. Who finds that it is the only owner of an array writes to it in place, and who lets go last takes
// the object apart: both come after what all others did before they let go. Letting go alone orders nothing else.

#define ONE_MORE ((uint64_t)1 << 33)  // a strong reference besides the first, in the second word of an object
#define FOR_EVER UINT32_MAX           // the lower half of that word, where nothing is counted
#define ADDRESS 0x00fffffffffffff8    // of a reference that may be to something else than an object: below zero it is

#ifdef __aarch64__
#define COUNTS __attribute__((preserve_most))  // as it is called there; elsewhere it is called as C is
#else
#define COUNTS
#endif

COUNTS void swift_release(void *object) {
    static void (*last)(void *);
    if ((intptr_t)object <= 0) return;
    uint64_t *counts = (uint64_t *)object + 1, now = __atomic_load_n(counts, __ATOMIC_RELAXED);
    // As Swift's own, but knowing which one is the last. Below zero: the count is in a table, whoever asks.
    for (bool told = false; (int64_t)(now - ONE_MORE) >= 0; told = true) {
        if (!told) __tsan_release(object);
        if (__atomic_compare_exchange_n(counts, &now, now - ONE_MORE, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) return;
    }
    if ((uint32_t)now == FOR_EVER) return;
    if ((int64_t)now < 0) __tsan_release(object);
    __tsan_acquire(object);
    if (!last) last = REAL("swift_release");
    last(object);
}

COUNTS void swift_release_n(void *object, uint32_t n) {
    static void (*real)(void *, uint32_t);
    if (!real) real = REAL("swift_release_n");
    if ((intptr_t)object > 0) {
        __tsan_release(object);
        __tsan_acquire(object);
    }
    real(object, n);
}

COUNTS void swift_bridgeObjectRelease(void *object) {
    if ((intptr_t)object > 0) swift_release((void *)((uintptr_t)object & ADDRESS));
}

COUNTS void swift_bridgeObjectRelease_n(void *object, uint32_t n) {
    if ((intptr_t)object > 0) swift_release_n((void *)((uintptr_t)object & ADDRESS), n);
}

#define ASKS(name) \
    bool name(void *object) { \
        static bool (*real)(void *); \
        if (!real) real = REAL(#name); \
        bool unique = real(object); \
        if (unique) __tsan_acquire(object); \
        return unique; \
    }

ASKS(swift_isUniquelyReferenced_native)
ASKS(swift_isUniquelyReferenced_nonNull_native)

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
