/* SPDX-License-Identifier: Apache-2.0 */
/* specs.c - busted in a trusted VM: all standard libraries for the specs themselves, the sandbox for
 * the agents they call.
 *
 * Failure: without busted, or with an argument it does not know, it says so. A test that computes without
 * end is ended and told like one that failed; with nothing to run, that is what went wrong. */
#include "agent/specs.h"

#include "agent/box.h"
#include "base/err.h"

#include <errno.h>

static const size_t memory_max = (size_t)1 << 30;

/* A project's .busted may put folders of its own first; what is tested comes from ours all the same.
 * busted finds nothing wrong in running nothing, and waits for ever for a test without an end. */
static const char runner[] =
    "local library, agents, limit_s = ...\n"
    "local ours = table.concat({ library .. '/?.lua', library .. '/?/init.lua',\n"
    "  agents .. '/?.lua', agents .. '/?/init.lua' }, ';')\n"
    "package.path = ours .. ';' .. package.path\n"
    "table.insert(package.searchers, 2, function(name)\n"
    "  local file, why = package.searchpath(name, ours)\n"
    "  if not file then return why end\n"
    "  return assert(loadfile(file)), file\n"
    "end)\n"
    "local ok, how = pcall(require, 'busted.compatibility')\n"
    "if not ok then error('busted is not installed: apt install lua-busted', 0) end\n"
    "local exit = how.exit\n"
    "how.exit = function(n_wrong, ...) return exit(n_wrong == 0 and 0 or 1, ...) end\n"
    "local run = require 'busted.runner'\n"
    "local ran, began_s = 0, os.clock()\n"
    "local function begins()\n"
    "  began_s = os.clock()\n"
    "  return nil, true\n"
    "end\n"
    "local function ends(_, _, status)\n"
    "  ran = ran + (status == 'pending' and 0 or 1)\n"
    "  return nil, true\n"
    "end\n"
    "local core = require 'busted.core'\n"
    "package.loaded['busted.core'] = function()\n"
    "  local busted = core()\n"
    "  busted.subscribe({ 'file', 'start' }, begins)\n"
    "  busted.subscribe({ 'test', 'start' }, begins)\n"
    "  busted.subscribe({ 'test', 'end' }, ends)\n"
    "  return busted\n"
    "end\n"
    "debug.sethook(function()\n"
    "  if os.clock() - began_s > limit_s then\n"
    "    error(('was ended after %d s of computing; does a loop in it come to no end? '\n"
    "      .. '--seconds allows more'):format(limit_s), 2)\n"
    "  end\n"
    "end, '', 1000000)\n"
    "run({ standalone = false }) -- comes back only when nothing failed\n"
    "if ran == 0 then error('no test was run: none has the words of --filter in its description, "
    "'\n"
    "  .. 'or there is none', 0) end\n"
    "os.exit(0, true)\n";

/* The global `arg`, as busted reads its command line. */
static void push_arguments(lua_State *L, const char *const *args, size_t n)
{
    lua_newtable(L);
    lua_pushliteral(L, "ringdown test");
    lua_rawseti(L, -2, 0);
    lua_pushliteral(L, "--pattern=_spec");
    lua_rawseti(L, -2, 1);
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, args[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 2);
    }
    lua_setglobal(L, "arg");
}

int specs_run(const char *agents_path, const char *library_path, unsigned limit_s,
              const char *const *args, size_t n, struct buf *why)
{
    struct vm_opts opts = {.memory_max = memory_max, .trusted = true};
    struct vm *v;
    lua_State *L;
    int rc = vm_new(&v, &opts);

    if (rc)
        return rc;
    L = vm_lua(v);
    (void)box_preload(v, agents_path, library_path);
    push_arguments(L, args, n);
    if (luaL_loadstring(L, runner) == LUA_OK) {
        lua_pushstring(L, library_path);
        lua_pushstring(L, agents_path);
        lua_pushinteger(L, limit_s);
        (void)vm_call(v, 3, 0, why);
    }
    vm_free(v);
    return RD_ESCRIPT;
}
