/* SPDX-License-Identifier: Apache-2.0. module: agent */
/* fuzz_script.c - parsers of the library that are written in Lua, with what strangers send: tables that are
 * imported, cursors, numbers, recordings from a file, what was said to the triage. None raises, none takes
 * longer than its VM may; what comes out is checked in Lua, below. First byte: which one. Run where scripts/ is. */
#include "check.h"

#include "agent/replay.h"
#include "base/err.h"
#include "lua/vm.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char checks[] =
    "require 'ringdown.fake'\n"
    "local csv, page = require 'ringdown.csv', require 'ringdown.api.page'\n"
    "local recording, text = require 'ringdown.replay.recording', require 'ringdown.triage.text'\n"
    "local number, line = require('ringdown.rollout').number, require 'ringdown.stats.csv'\n"
    "local try = {}\n"
    "function try.table(s)\n"
    "  local rows, why = csv.read(s, { known = function(n) return #n < 9 end, required = {},\n"
    "    rows_max = 1000, what = 'any' })\n"
    "  assert(rows or why ~= '')\n"
    "  for _, row in ipairs(rows or {}) do\n"
    "    for name, cell in pairs(row.cells) do\n"
    "      assert(#name < 9 and cell ~= '' and #cell <= 16384)\n"
    "      assert(row.why or utf8.len(cell))\n"
    "    end\n"
    "  end\n"
    "end\n"
    "function try.cell(s)\n" /* what we write for spreadsheets, we read back */
    "  if s == '' or not utf8.len(s) or #s > 16384 then return end\n"
    "  local rows = csv.read('a\\n' .. line.cell(s) .. '\\n', { known = function() return true "
    "end,\n"
    "    required = {}, rows_max = 9, what = '' })\n"
    "  assert(rows and #rows <= 1)\n"
    "  local back = rows[1] and rows[1].cells.a\n"
    "  assert(back == s or back == \"'\" .. s)\n"
    "  assert(not back:find '^[=+@-]', 'a formula')\n"
    "end\n"
    "function try.cursor(s)\n"
    "  local ok, key = pcall(page.read, s, { 'text', 'text' })\n"
    "  assert(ok and #key == 2 and page.cursor(key) or type(key) == 'table', key)\n"
    "end\n"
    "function try.number(s)\n"
    "  local n = number(s)\n"
    "  assert(not n or n:find '^%+%d+$' and #n <= 16, n)\n"
    "end\n"
    "function try.recording(s)\n"
    "  local r, why = recording.read(s)\n"
    "  assert(r and r.agent and r.inputs or type(why) == 'string' and why ~= '')\n"
    "end\n"
    "function try.said(s)\n"
    "  if #s > 2000 then return end\n"
    "  local read = text.read(s)\n"
    "  assert(type(read) == 'table')\n"
    "end\n"
    "local order = { 'table', 'cell', 'cursor', 'number', 'recording', 'said' }\n"
    "return function(which, s) try[order[which % #order + 1]](s) end\n";

static struct vm *vm;

static void fail(lua_State *L)
{
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
}

static void set_up(void)
{
    static const char *const folders[] = {"scripts", NULL};
    struct vm_opts o = {.memory_max = 512U << 20, .trusted = true};
    struct buf why;
    lua_State *L;

    buf_init(&why, 4096);
    check(chunks_new(&o.chunks, folders) == 0 && vm_new(&vm, &o) == 0);
    L = vm_lua(vm);
    if (luaL_loadbuffer(L, checks, sizeof(checks) - 1, "=checks") || vm_call(vm, 0, 1, &why)) {
        fprintf(stderr, "%s\n", why.n ? buf_text(&why) : lua_tostring(L, -1));
        abort();
    }
    buf_fini(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_State *L;

    if (size == 0)
        return 0;
    if (!vm)
        set_up();
    L = vm_lua(vm);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, data[0]);
    lua_pushlstring(L, (const char *)data + 1, size - 1);
    if (lua_pcall(L, 2, 0, 0))
        fail(L);
    return 0;
}
