// Stopping a script from outside: a signal sets a flag and a hook on the thread that is running. The hook stays, so
// that a pcall around the interrupted code is interrupted as well.
#include "Private.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

// Read by the handler on whichever thread a signal reaches, and by threads that stop the script.
static _Atomic(chost_state *) signalled;
static _Atomic(pthread_t) lua_thread;  // set before `signalled`
static atomic_int received;            // the last SIGINT or SIGTERM
static bool noting;

static void note(int signal) { received = signal; }

static void set_stop_signal(chost_state *S, int signal) { __atomic_store_n(&S->stop_signal, signal, __ATOMIC_RELAXED); }

static void stop_hook(lua_State *L, lua_Debug *frame) {
    (void)frame;
    chost_state *S = chost_of(L);
    if (chost_interrupted(S)) chost_stop(L, S);
    else lua_sethook(L, NULL, 0, 0);
}

void chost_hook(chost_state *S, lua_State *L) {
    (void)S;
    lua_sethook(L, stop_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void chost_interrupt(chost_state *S, int signal) {
    set_stop_signal(S, signal);
    chost_hook(S, S->running);
}

static void handle(int signal) {
    // The hook may only be set from the thread that runs Lua: its call list changes under any other.
    if (!pthread_equal(pthread_self(), lua_thread)) {
        pthread_kill(lua_thread, signal);
        return;
    }
    if (signal == SIGINT || signal == SIGTERM) note(signal);
    chost_state *S = signalled;
    if (!S) return;
    if (signal == CHOST_STOP_SIGNAL) {
        if (!chost_interrupted(S)) chost_interrupt(S, signal);  // a person's Ctrl-C counts for more
        return;
    }
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigaction(signal, &normal, NULL);  // a second one ends a program that does not listen
    if (signal == SIGTERM && S->grace_ms > 0) {
        // The script ends by itself at a place that suits it, or is stopped when its time is over.
        S->terminating = 1;
        struct itimerval timer = {.it_value = {S->grace_ms / 1000, S->grace_ms % 1000 * 1000}};
        setitimer(ITIMER_REAL, &timer, NULL);
        return;
    }
    chost_interrupt(S, signal == SIGALRM ? SIGTERM : signal);
}

void chost_stop_running(void) {
    if (signalled) pthread_kill(lua_thread, CHOST_STOP_SIGNAL);
}

void chost_handle_signals(chost_state *S) {
    if (!S && !signalled) return;
    if (!S) setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    lua_thread = pthread_self();
    signalled = S;
    struct sigaction action = {.sa_handler = S ? handle : noting ? note : SIG_DFL};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!S) action.sa_handler = SIG_DFL;
    sigaction(SIGALRM, &action, NULL);
    // Stays: a request to stop may arrive when the script has ended just then.
    if (S) sigaction(CHOST_STOP_SIGNAL, &action, NULL);
}

void chost_note_signals(bool on) {
    noting = on;
    struct sigaction action = {.sa_handler = on ? note : SIG_DFL};
    sigemptyset(&action.sa_mask);
    if (signalled) return;  // what stands when no state handles them any more
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int chost_received_signal(void) { return received; }

// Not when another state has taken them over meanwhile.
void chost_unhandle_signals(chost_state *S) {
    if (signalled == S) chost_handle_signals(NULL);
}

void chost_clear_interrupt(chost_state *S) {
    set_stop_signal(S, 0);
    S->terminating = 0;
    lua_sethook(S->main, NULL, 0, 0);
    if (signalled == S) chost_handle_signals(S);
}

// coroutine.resume, wrap and close, which also say whose code is running.

static lua_State *enter_thread(chost_state *S, lua_State *thread) {
    lua_State *outer = S->running;
    S->running = thread;
    if (chost_interrupted(S)) chost_hook(S, thread);
    return outer;
}

static void leave_thread(chost_state *S, lua_State *outer) {
    S->running = outer;
    if (chost_interrupted(S)) chost_hook(S, outer);
}

static int resume(lua_State *L, lua_State *thread, int arguments) {
    chost_state *S = chost_of(L);
    if (!lua_checkstack(thread, arguments + 1)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, thread, arguments);
    lua_State *current = S->current, *outer = enter_thread(S, thread);
    int results, status = lua_resume(thread, L, arguments, &results);
    leave_thread(S, outer);
    S->current = current;
    if (status == LUA_OK || status == LUA_YIELD) {
        if (!lua_checkstack(L, results + 1)) {
            lua_pop(thread, results);
            lua_pushliteral(L, "too many results to resume");
            return -1;
        }
        lua_xmove(thread, L, results);
        return results;
    }
    lua_xmove(thread, L, 1);
    if (status != LUA_ERRMEM) chost_save_traceback(L, thread, 0);
    return -1;
}

static int resume_thread(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTHREAD);
    int results = resume(L, lua_tothread(L, 1), lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    if (results < 0) results = 1;
    lua_insert(L, -results - 1);
    return results + 1;
}

static int call_wrapped(lua_State *L) {
    chost_state *S = chost_of(L);
    lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
    int results = resume(L, thread, lua_gettop(L));
    if (results >= 0) return results;
    int status = lua_status(thread);
    lua_State *outer = enter_thread(S, thread);
    if (status != LUA_OK && status != LUA_YIELD) {  // it failed: close what it left open, which may fail anew
        lua_pushvalue(L, -1);
        lua_xmove(L, thread, 1);
        if (lua_resetthread(thread) != LUA_OK && lua_gettop(thread) > 0) {
            lua_pop(L, 1);
            lua_xmove(thread, L, 1);
        }
        S->rethrown = true;
    }
    leave_thread(S, outer);
    return lua_error(L);
}

static int wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *thread = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, thread, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

// coroutine.close runs the thread's closing code; upvalue 1 is the original.
static int close_thread(lua_State *L) {
    chost_state *S = chost_of(L);
    luaL_checktype(L, 1, LUA_TTHREAD);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_State *outer = enter_thread(S, lua_tothread(L, 2));
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    leave_thread(S, outer);
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

int chost_install_coroutines(lua_State *L) {
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, resume_thread);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, wrap);
    lua_setfield(L, -2, "wrap");
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, close_thread, 1);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
    return 0;
}
