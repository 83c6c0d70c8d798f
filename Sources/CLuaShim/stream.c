// Builds a Lua value from a flat description written by Swift, in one protected call:
//   n nil, z null, t true, f false, i int64, d double, s length bytes, o object type, r reference,
//   l count values, m count (key value)s
#include "Private.h"

struct stream {
    const uint8_t *next;
    chost_state *state;
};

static uint64_t word(struct stream *in) {
    uint64_t value;
    memcpy(&value, in->next, sizeof value);
    in->next += sizeof value;
    return value;
}

static void build(lua_State *L, struct stream *in) {
    luaL_checkstack(L, 8, "value is nested too deep");
    uint64_t count;
    switch (*in->next++) {
    case 'z': lua_pushlightuserdata(L, NULL); break;
    case 't': lua_pushboolean(L, 1); break;
    case 'f': lua_pushboolean(L, 0); break;
    case 'i': lua_pushinteger(L, (lua_Integer)word(in)); break;
    case 'd': {
        uint64_t bits = word(in);
        double value;
        memcpy(&value, &bits, sizeof value);
        lua_pushnumber(L, value);
        break;
    }
    case 's':
        count = word(in);
        lua_pushlstring(L, (const char *)in->next, count);
        in->next += count;
        break;
    case 'o': {
        void *object = (void *)word(in);
        chost_push_box(L, (chost_type *)word(in));
        in->state->retain(object);
        ((chost_box *)lua_touserdata(L, -1))->object = object;
        break;
    }
    case 'r': lua_rawgeti(L, LUA_REGISTRYINDEX, (lua_Integer)word(in)); break;
    case 'l':
        count = word(in);
        lua_createtable(L, (int)count, 0);
        for (uint64_t i = 1; i <= count; i++) {
            build(L, in);
            lua_rawseti(L, -2, (lua_Integer)i);
        }
        break;
    case 'm':
        count = word(in);
        lua_createtable(L, 0, (int)count);
        for (uint64_t i = 0; i < count; i++) {
            build(L, in);
            build(L, in);
            lua_rawset(L, -3);
        }
        break;
    default: lua_pushnil(L);
    }
}

static int push_stream(lua_State *L) {
    struct stream *in = lua_touserdata(L, 1);
    build(L, in);
    return 1;
}

int chost_push_stream(chost_state *S, lua_State *L, const uint8_t *ops, size_t length) {
    (void)length;
    struct stream in = {ops, S};
    return chost_protected(S, L, push_stream, &in, 0, 1);
}
