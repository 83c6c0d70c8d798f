// How Lua calls Swift, and how a Swift failure becomes a Lua error after the Swift frame has returned.
#include "Private.h"
#include <stdlib.h>

const char chost_magic;

// Pushes "file:line: " of the innermost Lua function that is not part of the program itself.
static void push_position(lua_State *L) {
    lua_Debug frame;
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.currentline > 0 && strncmp(frame.source, CHOST_CHUNK, sizeof CHOST_CHUNK - 1) != 0) {
            lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

int chost_stop(lua_State *L, chost_state *S) {
    chost_hook(S, L);
    push_position(L);
    lua_pushstring(L, chost_interrupted(S) == SIGTERM ? "terminated" : "interrupted");
    lua_concat(L, 2);
    return lua_error(L);
}

static int leave(chost_state *S) {
    int status = S->exit_status;
    lua_close(S->main);
    exit(status);
}

int chost_raise(lua_State *L, chost_state *S, int code) {
    if (code == CHOST_EXIT) return leave(S);
    if (chost_interrupted(S)) return chost_stop(L, S);
    luaL_checkstack(L, 8, NULL);
    switch (code) {
    case CHOST_RETHROW:
        chost_push_error(S, L, S->thrown);
        chost_drop_error(S, L, S->thrown);
        S->rethrown = true;
        break;
    case CHOST_MEMORY:
        lua_pushliteral(L, "not enough memory");
        break;
    default:
        push_position(L);
        lua_pushlstring(L, S->message ? S->message : "", S->message_length);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

// Native memory counts as debt of Lua's collector. One collection costs time in proportion to Lua's heap, so the more
// heap, the more native bytes may pass between two collections: 16 times the heap, between 1 and 64 MB, and a quarter
// of what is in use. `lua_gc` starts a new cycle once the debt reaches about the size of the heap.
void chost_pay(lua_State *L, chost_state *S) {
    long made = *(const volatile long *)S->allocated, owed = made - S->paid;
    S->paid = made;
    long live = S->live ? *(const volatile long *)S->live : 0;
    if (S->budget > 0 && live > S->budget) {
        lua_gc(L, LUA_GCCOLLECT);
        live = *(const volatile long *)S->live;
        if (live > S->budget / 5 * 4) S->budget = live / 5 * 7;  // most of it is needed: make room, do not thrash
        return;
    }
    if (!lua_gc(L, LUA_GCISRUNNING)) return;  // the script stopped the collector; the budget still holds
    double heap = lua_gc(L, LUA_GCCOUNT) * 1024.0, pause = heap * 16;
    if (pause > 64 << 20) pause = 64 << 20;
    if (pause < 1 << 20) pause = 1 << 20;
    double debt = owed * (heap / (pause + live / 4)) / 1024;
    int step = debt > 1 << 20 ? 1 << 20 : (int)debt;
    lua_gc(L, LUA_GCSTEP, step > 0 ? step : 1);
}

static bool owes(chost_state *S) {
    return S->allocated && *(const volatile long *)S->allocated - S->paid >= 64 << 10;
}

static int enter(lua_State *L, chost_state *S, chost_function *function, int count) {
    for (int i = 0; i < function->boxes; i++) chost_push_box(L, function->result);
    lua_State *outer = S->current;
    S->current = L;
    int code = S->enter(L, function, count);
    S->current = outer;
    return code;
}

// The short way of a function whose arguments are nothing but operands: from the blocks to native code, past everything
// that serves other arguments and failures. Leaves the result on top of the stack; false: nothing was done.
static bool go_short(lua_State *L, chost_function *function) {
    void *a = chost_object(L, 1, function->operand), *b = NULL;
    double number = 0;
    if (function->operands == 2) {
        b = chost_object(L, 2, function->operand);
        if (!a || !b) {
            int other = a ? 2 : 1;
            if ((!a && !b) || lua_type(L, other) != LUA_TNUMBER) return false;
            number = lua_tonumber(L, other);
            // Not every larger integer is a double.
            if (lua_isinteger(L, other) && !(number >= -0x1p53 && number <= 0x1p53)) return false;
        }
    } else if (!a) {
        return false;
    }
    if (!function->result) {  // in place: the receiver is the result
        if (!a || !function->quick(function->context, a, b, number)) return false;
        lua_settop(L, 1);
        return true;
    }
    // The block first: making it may fail, and may run the collector.
    chost_box *box = chost_push_box(L, function->result);
    box->object = function->quick(function->context, a, b, number);
    if (box->object) return true;
    lua_settop(L, function->operands);
    return false;
}

static int call(lua_State *L, chost_function *function) {
    chost_state *S = chost_of(L);
    int count = lua_gettop(L);
    if (function->quick && count == function->operands && go_short(L, function)) {
        if (owes(S)) chost_pay(L, S);
        return chost_interrupted(S) ? chost_stop(L, S) : 1;
    }
    int slots = count < function->params ? function->params : count;
    if (!lua_checkstack(L, function->params + function->boxes + CHOST_STACK)) return luaL_error(L, "stack overflow");
    if (count < function->params) lua_settop(L, slots);
    int code = enter(L, S, function, count);
    if (code == CHOST_RETRY) {
        lua_settop(L, slots);
        lua_gc(L, LUA_GCCOLLECT);
        code = enter(L, S, function, count);
    }
    if (code < 0) return chost_raise(L, S, code);
    if (owes(S)) chost_pay(L, S);
    if (chost_interrupted(S)) return chost_stop(L, S);
    return code;
}

static int trampoline(lua_State *L) { return call(L, lua_touserdata(L, lua_upvalueindex(1))); }

static int make_function(lua_State *L) {
    lua_pushcclosure(L, trampoline, 1);  // the light userdata argument is the function
    return 1;
}

int chost_make_function(chost_state *S, lua_State *L, chost_function *function) {
    return chost_protected(S, L, make_function, function, 0, 1);
}

// A Lua function behind an argument list: Swift puts the arguments in order, then C calls, so that Lua may yield.
static int finish(lua_State *L, int status, lua_KContext base) {
    (void)status;
    return lua_gettop(L) - (int)base;
}

static int declared(lua_State *L) {
    chost_state *S = chost_of(L);
    chost_function *function = lua_touserdata(L, lua_upvalueindex(1));
    int count = lua_gettop(L);
    if (!lua_checkstack(L, count + 2 * function->params + CHOST_STACK)) return luaL_error(L, "stack overflow");
    if (count < function->params) lua_settop(L, function->params);
    lua_State *outer = S->current;
    S->current = L;
    int code = S->arrange(L, function, count);
    S->current = outer;
    if (code < 0) return chost_raise(L, S, code);
    int base = lua_gettop(L) - code;
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, base + 1);
    lua_callk(L, code, LUA_MULTRET, base, finish);
    return finish(L, LUA_OK, base);
}

static int make_declared(lua_State *L) {
    lua_insert(L, 1);  // function pointer first, then the Lua function
    lua_pushcclosure(L, declared, 2);
    return 1;
}

int chost_make_declared(chost_state *S, lua_State *L, chost_function *function) {
    return chost_protected(S, L, make_declared, function, 1, 1);
}

// Userdata

chost_box *chost_push_box(lua_State *L, chost_type *type) {
    chost_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->object = NULL;
    box->type = type;
    box->magic = &chost_magic;
    lua_rawgeti(L, LUA_REGISTRYINDEX, type->metatable);
    lua_setmetatable(L, -2);
    return box;
}

// __close where the type has no closing function: first empty the block, then let the object go.
static int release(lua_State *L) {
    chost_box *box = chost_box_at(L, 1);
    if (box && box->object) {
        void *object = box->object;
        box->object = NULL;
        chost_of(L)->release(object);
    }
    return 0;
}

static int close_box(lua_State *L) {
    chost_function *closing = lua_touserdata(L, lua_upvalueindex(1));
    chost_box *box = chost_box_at(L, 1);
    if (!box || !box->object) return 0;
    lua_settop(L, 1);
    call(L, closing);
    return 0;
}

// __index(object, key): upvalues are the methods, the function for other names, the function for other keys.
static int index_object(lua_State *L) {
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_pushvalue(L, 2);
        int kind = lua_rawget(L, lua_upvalueindex(1));
        if (kind == LUA_TLIGHTUSERDATA) {  // a computed field
            chost_function *getter = lua_touserdata(L, -1);
            lua_settop(L, 2);
            return call(L, getter);
        }
        if (kind != LUA_TNIL) return 1;
        lua_settop(L, 2);
        return call(L, lua_touserdata(L, lua_upvalueindex(2)));
    }
    chost_function *other = lua_touserdata(L, lua_upvalueindex(3));
    return call(L, other ? other : lua_touserdata(L, lua_upvalueindex(2)));
}

struct parts {
    chost_type *type;
    chost_function *field, *index, *assign, *closing;
};

static void set_function(lua_State *L, const char *name, lua_CFunction function, void *data) {
    if (data) lua_pushlightuserdata(L, data);
    lua_pushcclosure(L, function, data ? 1 : 0);
    lua_setfield(L, -2, name);
}

// Leaves the metatable and the table of methods.
static int make_type(lua_State *L) {
    struct parts *parts = lua_touserdata(L, 1);
    lua_createtable(L, 0, 24);
    lua_createtable(L, 0, 64);
    lua_pushvalue(L, -2);
    lua_pushstring(L, parts->type->name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    if (parts->closing) set_function(L, "__close", close_box, parts->closing);
    else set_function(L, "__close", release, NULL);
    lua_pushvalue(L, -2);
    lua_pushlightuserdata(L, parts->field);
    lua_pushlightuserdata(L, parts->index);
    lua_pushcclosure(L, index_object, 3);
    lua_setfield(L, -2, "__index");
    if (parts->assign) set_function(L, "__newindex", trampoline, parts->assign);
    parts->type->metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    return 2;
}

int chost_make_type(chost_state *S, lua_State *L, chost_type *type, chost_function *field, chost_function *other,
                    chost_function *assign, chost_function *closing) {
    struct parts parts = {type, field, other, assign, closing};
    return chost_protected(S, L, make_type, &parts, 0, 2);
}
