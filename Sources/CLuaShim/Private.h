// Shared by the C files of the shim; not seen by Swift.
#ifndef CHOST_PRIVATE_H
#define CHOST_PRIVATE_H
#include "CLuaShim.h"
#include <lauxlib.h>
#include <lualib.h>

// Chunks whose name starts so are part of the program: errors are reported at the script's line that called them.
#define CHOST_CHUNK "=[host"
// In the (weak) table of the last traceback: the error value it belongs to, and its text.
enum { TRACED_VALUE = 1, TRACED_TEXT };

extern const char chost_slots_key, chost_trace_key;
int chost_protected(chost_state *S, lua_State *L, lua_CFunction function, void *argument, int arguments, int results);
int chost_keep_error(chost_state *S, lua_State *L, int status);
int chost_raise(lua_State *L, chost_state *S, int code);
int chost_stop(lua_State *L, chost_state *S);
void chost_save_traceback(lua_State *L, lua_State *failing, int level);
int chost_message_handler(lua_State *L);
chost_box *chost_push_box(lua_State *L, chost_type *type);
void chost_pay(lua_State *L, chost_state *S);
int chost_install_loaders(lua_State *L);
int chost_install_coroutines(lua_State *L);
int chost_guard_debug(lua_State *L);
void chost_opening(lua_State *L, const char *path);
void chost_unhandle_signals(chost_state *S);
void chost_hook(chost_state *S, lua_State *L);
#endif
