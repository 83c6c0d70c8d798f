// Everything that Swift wants of Lua and that may raise, as C functions run by lua_pcall.
#include "Private.h"

// Calls function(argument, values...) with the topmost `arguments` values. On failure the error value goes to a slot.
int chost_protected(chost_state *S, lua_State *L, lua_CFunction function, void *argument, int arguments, int results) {
    if (!lua_checkstack(L, 8)) {
        lua_settop(L, -arguments - 1);
        return chost_keep_error(S, L, LUA_ERRMEM);
    }
    lua_pushcfunction(L, function);
    lua_insert(L, -arguments - 1);
    lua_pushlightuserdata(L, argument);
    int status = lua_pcall(L, arguments + 1, results, 0);
    return status == LUA_OK ? status : chost_keep_error(S, L, status);
}

// Moves the error value from the top of the stack to the next slot (the slots exist already: nothing is allocated).
int chost_keep_error(chost_state *S, lua_State *L, int status) {
    S->errors++;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &chost_slots_key);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1 + S->errors % CHOST_ERROR_SLOTS);
    lua_pop(L, 1);
    return status;
}

void chost_push_error(chost_state *S, lua_State *L, uint64_t number) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &chost_slots_key);
    if (S->errors - number < CHOST_ERROR_SLOTS) lua_rawgeti(L, -1, 1 + number % CHOST_ERROR_SLOTS);
    else lua_pushnil(L);
    lua_remove(L, -2);
}

void chost_drop_error(chost_state *S, lua_State *L, uint64_t number) {
    if (S->errors - number >= CHOST_ERROR_SLOTS) return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &chost_slots_key);
    lua_pushnil(L);
    lua_rawseti(L, -2, 1 + number % CHOST_ERROR_SLOTS);
    lua_pop(L, 1);
}

// Keeps the traceback of the error value on top of L, unless it is there already (from deeper inside).
void chost_save_traceback(lua_State *L, lua_State *failing, int level) {
    luaL_checkstack(L, 8, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &chost_trace_key);
    chost_state *S = chost_of(L);
    bool known = lua_rawgeti(L, -1, TRACED_VALUE) != LUA_TNIL && S->rethrown && lua_rawequal(L, -1, -3);
    S->rethrown = false;
    lua_pop(L, 1);
    if (!known) {
        luaL_traceback(L, failing, NULL, level);
        lua_rawseti(L, -2, TRACED_TEXT);
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, TRACED_VALUE);
    }
    lua_pop(L, 1);
}

int chost_message_handler(lua_State *L) {
    chost_save_traceback(L, L, 1);
    return 1;
}

// Pushes the traceback of an error value, or nil.
void chost_push_traceback(chost_state *S, lua_State *L, uint64_t number) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &chost_trace_key);
    chost_push_error(S, L, number);
    lua_rawgeti(L, -2, TRACED_VALUE);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    if (same) lua_rawgeti(L, -1, TRACED_TEXT);
    else lua_pushnil(L);
    lua_remove(L, -2);
}

int chost_call(chost_state *S, lua_State *L, int arguments, int results) {
    int base = lua_gettop(L) - arguments;
    if (!lua_checkstack(L, 8)) {
        lua_settop(L, base);
        return chost_keep_error(S, L, LUA_ERRMEM);
    }
    lua_State *current = S->current, *running = S->running;
    lua_pushcfunction(L, chost_message_handler);
    lua_insert(L, base);
    int status = lua_pcall(L, arguments, results, base);
    lua_remove(L, base);
    S->current = current;
    S->running = running;
    return status == LUA_OK ? status : chost_keep_error(S, L, status);
}

// One struct for the arguments of all the small functions below.
struct request {
    const void *data;
    size_t length;
    int64_t number;
    void *object;
    int reference;
};
#define REQUEST struct request *r = lua_touserdata(L, -1); lua_pop(L, 1)

static int push_string(lua_State *L) {
    REQUEST;
    lua_pushlstring(L, r->data, r->length);
    return 1;
}
int chost_push_string(chost_state *S, lua_State *L, const char *text, size_t length) {
    struct request r = {text, length};
    return chost_protected(S, L, push_string, &r, 0, 1);
}

static int push_object(lua_State *L) {
    REQUEST;
    chost_push_box(L, (chost_type *)r->data);
    chost_of(L)->retain(r->object);
    ((chost_box *)lua_touserdata(L, -1))->object = r->object;
    return 1;
}
int chost_push_object(chost_state *S, lua_State *L, const chost_type *type, void *object) {
    struct request r = {type, .object = object};
    return chost_protected(S, L, push_object, &r, 0, 1);
}

static int push_integers(lua_State *L) {
    REQUEST;
    const int64_t *values = r->data;
    lua_createtable(L, (int)r->length, 0);
    for (size_t i = 0; i < r->length; i++) {
        lua_pushinteger(L, values[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}
int chost_push_integers(chost_state *S, lua_State *L, const int64_t *values, size_t count) {
    struct request r = {values, count};
    return chost_protected(S, L, push_integers, &r, 0, 1);
}

static int push_numbers(lua_State *L) {
    REQUEST;
    const double *values = r->data;
    lua_createtable(L, (int)r->length, 0);
    for (size_t i = 0; i < r->length; i++) {
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}
int chost_push_numbers(chost_state *S, lua_State *L, const double *values, size_t count) {
    struct request r = {values, count};
    return chost_protected(S, L, push_numbers, &r, 0, 1);
}

static int push_table(lua_State *L) {
    REQUEST;
    lua_createtable(L, (int)r->number, r->reference);
    return 1;
}
int chost_push_table(chost_state *S, lua_State *L, int list, int fields) {
    struct request r = {.number = list, .reference = fields};
    return chost_protected(S, L, push_table, &r, 0, 1);
}

static int reference(lua_State *L) {
    REQUEST;
    r->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}
int chost_reference(chost_state *S, lua_State *L, int index, int *result) {
    struct request r = {.reference = LUA_NOREF};
    lua_pushvalue(L, index);
    int status = chost_protected(S, L, reference, &r, 1, 0);
    *result = r.reference;
    return status;
}

static int load(lua_State *L) {
    REQUEST;
    if (luaL_loadbufferx(L, r->data, r->length, r->object, "t") != LUA_OK) return lua_error(L);
    return 1;
}
int chost_load(chost_state *S, lua_State *L, const char *text, size_t length, const char *name) {
    struct request r = {text, length, .object = (void *)name};
    return chost_protected(S, L, load, &r, 0, 1);
}

static int load_file(lua_State *L) {
    REQUEST;
    if (luaL_loadfilex(L, r->data, "t") != LUA_OK) return lua_error(L);
    return 1;
}
int chost_load_file(chost_state *S, lua_State *L, const char *path) {
    struct request r = {path};
    chost_opening(L, path);
    return chost_protected(S, L, load_file, &r, 0, 1);
}

static int get_field(lua_State *L) {
    REQUEST;
    lua_pushlstring(L, r->data, r->length);
    lua_gettable(L, 1);
    return 1;
}
int chost_get_field(chost_state *S, lua_State *L, int index, const char *name, size_t length) {
    struct request r = {name, length};
    lua_pushvalue(L, index);
    return chost_protected(S, L, get_field, &r, 1, 1);
}

static int get_index(lua_State *L) {
    REQUEST;
    lua_geti(L, 1, r->number);
    return 1;
}
int chost_get_index(chost_state *S, lua_State *L, int index, int64_t key) {
    struct request r = {.number = key};
    lua_pushvalue(L, index);
    return chost_protected(S, L, get_index, &r, 1, 1);
}

// Sets field `name` of the table at `index` to the value on top, without metamethods.
static int set_field(lua_State *L) {
    REQUEST;
    lua_pushlstring(L, r->data, r->length);
    lua_insert(L, 2);
    lua_rawset(L, 1);
    return 0;
}
int chost_set_field(chost_state *S, lua_State *L, int index, const char *name, size_t length) {
    struct request r = {name, length};
    lua_pushvalue(L, index);
    lua_insert(L, -2);
    return chost_protected(S, L, set_field, &r, 2, 0);
}

// Sets table[key] = value, key and value being on top, without metamethods.
static int set_raw(lua_State *L) {
    lua_pop(L, 1);
    lua_rawset(L, 1);
    return 0;
}
int chost_set_raw(chost_state *S, lua_State *L, int index) {
    lua_pushvalue(L, index);
    lua_insert(L, -3);
    return chost_protected(S, L, set_raw, S, 3, 0);
}

static int length(lua_State *L) {
    REQUEST;
    r->number = luaL_len(L, 1);
    return 0;
}
int chost_length(chost_state *S, lua_State *L, int index, int64_t *result) {
    struct request r = {0};
    lua_pushvalue(L, index);
    int status = chost_protected(S, L, length, &r, 1, 0);
    *result = r.number;
    return status;
}

static int to_string(lua_State *L) {
    lua_settop(L, 1);
    luaL_tolstring(L, 1, NULL);
    return 1;
}
int chost_to_string(chost_state *S, lua_State *L, int index) {
    lua_pushvalue(L, index);
    return chost_protected(S, L, to_string, S, 1, 1);
}

static int weak_table(lua_State *L) {
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    return 1;
}
int chost_weak_table(chost_state *S, lua_State *L) {
    return chost_protected(S, L, weak_table, S, 0, 1);
}

// Keeps a string in the registry under an address, from where it can be pushed without allocating.
static int intern(lua_State *L) {
    REQUEST;
    lua_pushstring(L, r->object);
    lua_rawsetp(L, LUA_REGISTRYINDEX, r->data);
    return 0;
}
int chost_intern(chost_state *S, lua_State *L, const void *key, const char *text) {
    struct request r = {key, .object = (void *)text};
    return chost_protected(S, L, intern, &r, 0, 0);
}

static int require(lua_State *L) {
    REQUEST;
    lua_getglobal(L, "require");
    lua_pushstring(L, r->data);
    lua_call(L, 1, 1);
    return 1;
}
int chost_require(chost_state *S, lua_State *L, const char *name) {
    struct request r = {name};
    return chost_protected(S, L, require, &r, 0, 1);
}

// Frees a reference: the slot exists, so nothing is allocated and nothing can raise.
void chost_release_reference(lua_State *L, int reference) { luaL_unref(L, LUA_REGISTRYINDEX, reference); }
