/* SPDX-License-Identifier: Apache-2.0 */
/* desk_vm.c - where rules are matched.
 *
 * The collector rests while a caller's words are looked at: the rules are some megabytes of tables, and
 * a cycle over them would come in the middle of an answer. It gets its share after each.
 *
 * Failure: more garbage than GARBAGE_MAX is collected at once, however long it takes. A desk that does
 * not come back is stopped, but late: it runs the library alone, whose steps are bounded by the words and
 * the rules, and a machine that is busy must not make it deaf. So it is asked what it computed; the wall
 * counts only when everybody else on this thread would wait for as long as a caller holds on. */
#include "agent/desk_vm.h"

#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "base/err.h"

enum {
    SLICE_MS = 2000,
    WALL_MS = 60000,
    MEMORY_MAX = 32 << 20,
    GARBAGE_MAX = 8 << 10, /* KB in all */
    TIDY_KB = 64
};

int desk_vm_open(struct vm **out, const struct agent_info *agent, struct buf *why)
{
    struct vm_opts opts = {.memory_max = MEMORY_MAX,
                           .slice_ms = SLICE_MS,
                           .wall_ms = WALL_MS,
                           .instructions_max = UINT64_MAX,
                           .chunks = agent_chunks(agent)};
    struct vm *v;
    int rc = vm_new(&v, &opts);

    if (rc)
        return rc;
    rc = vm_preload(v, "ringdown.host", api_open_loading);
    if (!rc) {
        lua_pushstring(vm_lua(v), agent->rules);
        rc = vm_call_module(v, "ringdown.desk", "open", 1, 0, why);
    }
    if (rc) {
        vm_free(v);
        return rc;
    }
    lua_gc(vm_lua(v), LUA_GCCOLLECT);
    lua_gc(vm_lua(v), LUA_GCSTOP);
    *out = v;
    return 0;
}

int desk_vm_ask(struct vm *v, const char *function, const struct rd_str *args, int n,
                struct buf *why)
{
    for (int i = 0; i < n; i++)
        lua_pushlstring(vm_lua(v), args[i].p, args[i].n);
    return vm_call_module(v, "ringdown.desk", function, n, 1, why);
}

void desk_vm_tidy(struct vm *v)
{
    if (lua_gc(vm_lua(v), LUA_GCCOUNT) > GARBAGE_MAX)
        lua_gc(vm_lua(v), LUA_GCCOLLECT);
    else
        lua_gc(vm_lua(v), LUA_GCSTEP, TIDY_KB);
}
