// Text chunks only, and a debug library that cannot reach into native values.
#include "Private.h"

void chost_opening(lua_State *L, const char *path) {
    chost_state *S = chost_of(L);
    if (path && S->opening) S->opening(S->opening_owner, path);
}

// Upvalue 1: the original function; upvalue 2: where its mode argument is.
static int load_text(lua_State *L) {
    int mode = (int)lua_tointeger(L, lua_upvalueindex(2));
    if (lua_gettop(L) < mode) lua_settop(L, mode);
    if (!strchr(luaL_optstring(L, mode, "t"), 't')) {
        lua_pushnil(L);
        lua_pushliteral(L, "binary chunks are refused: only text can be loaded");
        return 2;
    }
    if (mode == 2 && lua_type(L, 1) == LUA_TSTRING) chost_opening(L, lua_tostring(L, 1));
    lua_pushliteral(L, "t");
    lua_replace(L, mode);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int finish(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

static int do_file(lua_State *L) {
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    chost_opening(L, path);
    if (luaL_loadfilex(L, path, "t") != LUA_OK) return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, finish);
    return finish(L, LUA_OK, 0);
}

static int search_text(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchpath");
    lua_pushvalue(L, 1);
    if (lua_getfield(L, -3, "path") != LUA_TSTRING) return luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) return 1;  // the message that lists where it looked
    lua_pop(L, 1);
    const char *path = lua_tostring(L, -1);
    chost_opening(L, path);
    if (luaL_loadfilex(L, path, "t") != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, path, lua_tostring(L, -1));
    lua_insert(L, -2);
    return 2;
}

static void wrap_loader(lua_State *L, const char *name, int mode) {
    lua_getglobal(L, name);
    lua_pushinteger(L, mode);
    lua_pushcclosure(L, load_text, 2);
    lua_setglobal(L, name);
}

int chost_install_loaders(lua_State *L) {
    wrap_loader(L, "load", 3);
    wrap_loader(L, "loadfile", 2);
    lua_pushcfunction(L, do_file);
    lua_setglobal(L, "dofile");
    // require: preloaded modules, then Lua files. Native code of others could do anything to this process.
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushcfunction(L, search_text);
    lua_rawseti(L, -2, 2);
    for (int i = 3; i <= 4; i++) {
        lua_pushnil(L);
        lua_rawseti(L, -2, i);
    }
    lua_pop(L, 1);
    const char *native[] = {"loadlib", "cpath"};
    for (int i = 0; i < 2; i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, native[i]);
    }
    lua_pop(L, 1);
    return 0;
}

static int forward(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int set_metatable(lua_State *L) {
    if (chost_box_at(L, 1)) return luaL_error(L, "debug.setmetatable: the metatable of a native object is fixed");
    return forward(L);
}

static int set_upvalue(lua_State *L) {
    if (lua_iscfunction(L, 1)) return luaL_error(L, "debug.setupvalue: a native function has no upvalues to set");
    return forward(L);
}

static int get_upvalue(lua_State *L) {
    if (lua_iscfunction(L, 1)) return 0;
    return forward(L);
}

// setlocal([thread,] level, index, value): not in the frame of a native function.
static int set_local(lua_State *L) {
    lua_State *thread = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
    int level = (int)luaL_checkinteger(L, lua_isthread(L, 1) ? 2 : 1);
    lua_Debug frame;
    // Called from here, the script's level 1 is this function's own caller, as it is for the original.
    if (lua_getstack(thread, level, &frame)) {
        lua_getinfo(thread, "S", &frame);
        if (*frame.what == 'C') return luaL_error(L, "debug.setlocal: a native function has no locals to set");
    }
    // The original counts levels from its caller, which is this function: one more.
    if (thread == L) {
        lua_pushinteger(L, level + 1);
        lua_replace(L, lua_isthread(L, 1) ? 2 : 1);
    }
    return forward(L);
}

static void guard(lua_State *L, const char *name, lua_CFunction function) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

int chost_guard_debug(lua_State *L) {
    lua_getglobal(L, "debug");
    guard(L, "setmetatable", set_metatable);
    guard(L, "setupvalue", set_upvalue);
    guard(L, "getupvalue", get_upvalue);
    guard(L, "setlocal", set_local);
    lua_pushnil(L);
    lua_setfield(L, -2, "getregistry");  // the registry holds what native code relies on
    lua_pop(L, 1);
    return 0;
}
