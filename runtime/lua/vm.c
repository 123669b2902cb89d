/* SPDX-License-Identifier: Apache-2.0 */
/* vm.c - the life of one Lua VM and the limits around it.
 *
 * - vm_new() makes a state with our allocator, a count hook and the sandbox's globals; a coroutine
 *   inherits the hook. vm_call() runs a function to its end; task.c runs what may wait.
 * - Memory: the allocator refuses above memory_max, but only while a script runs, so that C code
 *   around it never meets an out-of-memory jump because of an agent. When the machine has none, what
 *   C hands over is made of a reserve (reserve.h); a script fails.
 * - Time: every HOOK_EVERY instructions the hook looks at the clock. A task that ran its share
 * steps aside (a yield that Lua code does not notice); one that computed for its whole slice is stopped.
 * A share is of the wall, because neighbours wait on the wall; a slice is of the processor (slice.h).
 *
 * Failure: a script may catch the error with pcall. So `spent` is sticky, the hook is re-armed to
 * raise at every following instruction, and whatever Lua reports at the end, vm_status() says so.
 */
#include "lua/vm.h"

#include "base/err.h"
#include "base/now.h"
#include "base/urgent.h"
#include "lua/reserve.h"
#include "lua/vm_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOOK_EVERY = 1000,
    HOOK_OFTEN = 100, /* with much data, single instructions (a concatenation) can be long */
    MUCH_DATA = 512 << 10,
    BREATH_ALLOCATIONS = 1024,
    STUCK_MS = 15, /* past its share, where a task cannot step aside */
    DEFAULT_SLICE_MS = 1000,
    WALL_TIMES = 10,
    /* A VM at rest grows by a fifth before it is collected again, and while it is: at the library's own
     * pace a cycle takes as long as it takes to allocate all of it once more. */
    PAUSE_PERCENT = 120,
    PACE_PERCENT = 400,
    REFUSALS_MAX = 16, /* a script that catches "not enough memory" this often has had its chance */
};

static const size_t default_memory = (size_t)8 << 20;
static const size_t default_memory_trusted = (size_t)64 << 20;
static const uint64_t default_instructions = 2000000000;

/* Audio above all comes before scripts; the scheduler alone would let it wait for its tick. */
static void let_others_go_first(struct vm *v, uint64_t now)
{
    if (now < v->breathed_us + BREATH_US)
        return;
    breathe();
    v->breathed_us = now;
}

static void *vm_alloc(void *arg, void *ptr, size_t old_size, size_t new_size)
{
    struct vm *v = arg;
    size_t old = ptr ? old_size : 0; /* without a block, old_size is a type tag */
    void *p;

    /* Collecting and closing run no instructions. */
    if (++v->allocations % BREATH_ALLOCATIONS == 0)
        let_others_go_first(v, monotonic_us());
    if (new_size == 0) {
        free(ptr);
        v->used -= old;
        return NULL;
    }
    if (new_size > old && v->in_script && v->used - old + new_size > v->memory_max) {
        v->refusals++;
        if (v->refusals >= REFUSALS_MAX && !v->spent)
            v->spent = "memory";
        return NULL;
    }
    p = realloc(ptr, new_size);
    if (!p && !v->in_script)
        p = reserve_realloc(ptr, new_size);
    if (p)
        v->used = v->used - old + new_size;
    return p;
}

static int raise_spent(lua_State *L, struct vm *v)
{
    /* Once caught, the next instruction raises it again. */
    lua_sethook(L, lua_gethook(L), LUA_MASKCOUNT, 1);
    return luaL_error(L, "the script used up its %s", v->spent);
}

/* Sticky when a limit was broken; true when the running task had its share and can step aside. In a
 * callback of gsub or sort it cannot, and everybody else waits: that may not last. */
static bool look_at_the_clock(lua_State *L, struct vm *v)
{
    const struct vm_time *t = v->slice.time;
    uint64_t now = t->wall_us(t->arg);

    v->work = 0;
    let_others_go_first(v, now);
    if (v->spent)
        return false;
    if (v->instructions_max && v->instructions > v->instructions_max)
        v->spent = "instructions";
    else
        v->spent = slice_over(&v->slice, now);
    if (v->spent || !v->step_aside_us || now < v->step_aside_us)
        return false;
    if (lua_isyieldable(L))
        return true;
    if (now >= v->step_aside_us + (uint64_t)STUCK_MS * 1000 && t->cpu_us(t->arg) >= v->stuck_us)
        v->spent = "time inside a callback of string.gsub or table.sort";
    return false;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct vm *v = vm_of(L);
    int every = v->used > MUCH_DATA ? HOOK_OFTEN : HOOK_EVERY;

    (void)ar;
    if (!v->spent)
        v->instructions += (uint64_t)lua_gethookcount(L);
    if (look_at_the_clock(L, v)) {
        v->preempted = true;
        lua_yield(L, 0);
    } else if (v->spent) {
        raise_spent(L, v);
    } else if (lua_gethookcount(L) != every) {
        lua_sethook(L, on_count, LUA_MASKCOUNT, every);
    }
}

bool vm_has_had_its_share(lua_State *L)
{
    struct vm *v = vm_of(L);

    if (look_at_the_clock(L, v))
        return v->preempted = true;
    if (v->spent)
        raise_spent(L, v);
    return false;
}

static int open_libraries(lua_State *L)
{
    struct vm *v = vm_of(L);

    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    return v->trusted ? sandbox_open_trusted(L) : sandbox_open(L);
}

static size_t size_or(size_t value, size_t fallback)
{
    return value ? value : fallback;
}

static void set_slice(struct vm *v, const struct vm_opts *o)
{
    uint64_t slice_ms = size_or(o->slice_ms, o->trusted ? 0 : DEFAULT_SLICE_MS);

    v->slice.time = o->time ? o->time : &slice_time;
    v->slice.look_us = UINT64_MAX;
    v->slice.max.cpu_us = slice_ms * 1000;
    v->slice.max.wall_us = size_or(o->wall_ms, slice_ms * WALL_TIMES) * 1000;
}

int vm_new(struct vm **out, const struct vm_opts *o)
{
    struct vm *v = calloc(1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    reserve_keep();
    v->trusted = o->trusted;
    v->chunks = o->chunks;
    v->user = o->user;
    v->memory_max = size_or(o->memory_max, o->trusted ? default_memory_trusted : default_memory);
    set_slice(v, o);
    v->instructions_max = size_or(o->instructions_max, o->trusted ? 0 : default_instructions);
    v->L = lua_newstate(vm_alloc, v);
    if (!v->L)
        goto fail;
    *(struct vm **)lua_getextraspace(v->L) = v;
    lua_pushcfunction(v->L, open_libraries);
    if (lua_pcall(v->L, 0, 0, 0) != LUA_OK)
        goto fail;
    lua_sethook(v->L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
    *out = v;
    return 0;
fail:
    vm_free(v);
    return -ENOMEM;
}

void vm_free(struct vm *v)
{
    if (!v)
        return;
    if (v->L) {
        task_free_all(v);
        lua_close(v->L);
    }
    free(v);
}

lua_State *vm_lua(struct vm *v)
{
    return v->L;
}

struct vm *vm_of(lua_State *L)
{
    return *(struct vm **)lua_getextraspace(L);
}

void *vm_user(struct vm *v)
{
    return v->user;
}

struct chunks *vm_chunks(struct vm *v)
{
    return v->chunks;
}

size_t vm_memory(const struct vm *v)
{
    return v->used;
}

void vm_trim(struct vm *v)
{
    lua_gc(v->L, LUA_GCCOLLECT);
    lua_gc(v->L, LUA_GCINC, PAUSE_PERCENT, PACE_PERCENT, 0);
}

bool vm_spent(const struct vm *v)
{
    return v->spent != NULL;
}

const char *vm_spent_why(const struct vm *v)
{
    return v->spent ? v->spent : "";
}

/* (name, open) */
static int put_preload(lua_State *L)
{
    const char *name = lua_touserdata(L, 1);

    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, name);
    return 0;
}

int vm_preload(struct vm *v, const char *name, lua_CFunction open)
{
    lua_State *L = v->L;

    lua_pushcfunction(L, put_preload);
    lua_pushlightuserdata(L, (void *)(uintptr_t)name);
    lua_pushcfunction(L, open);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK)
        return 0;
    lua_pop(L, 1);
    return -ENOMEM;
}

void vm_enter(struct vm *v, const struct slice_used *before, uint64_t share_us)
{
    const struct vm_time *t = v->slice.time;

    slice_begin(&v->slice, before);
    v->step_aside_us = share_us && !v->trusted ? t->wall_us(t->arg) + share_us : 0;
    if (v->step_aside_us)
        v->stuck_us = t->cpu_us(t->arg) + share_us + (uint64_t)STUCK_MS * 1000;
    v->preempted = false;
    v->in_script = true;
}

void vm_leave(struct vm *v)
{
    v->in_script = false;
    v->slice.look_us = UINT64_MAX;
    v->step_aside_us = 0;
}

int vm_status(struct vm *v, int lua_status)
{
    if (lua_status == LUA_ERRMEM && !v->spent)
        v->spent = "memory";
    if (v->spent)
        return RD_EBUDGET;
    return lua_status == LUA_OK || lua_status == LUA_YIELD ? 0 : RD_ESCRIPT;
}

/* Error objects that are no strings are named, not converted: __tostring would be a script again.
 */
static int on_error(lua_State *L)
{
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;

    if (!text)
        text = lua_pushfstring(L, "(an error that is a %s)", luaL_typename(L, 1));
    luaL_traceback(L, L, text, 1);
    return 1;
}

static void tell_why(struct vm *v, struct buf *why)
{
    const char *text = lua_type(v->L, -1) == LUA_TSTRING ? lua_tostring(v->L, -1) : NULL;

    if (!why)
        return;
    if (v->spent)
        buf_addf(why, "the script used up its %s", v->spent);
    if (text)
        buf_addf(why, "%s%s", v->spent ? ": " : "", text);
}

int vm_call(struct vm *v, int n_args, int n_results, struct buf *why)
{
    int base = lua_gettop(v->L) - n_args;
    int status, rc;

    if (v->spent) {
        lua_settop(v->L, base - 1);
        if (why)
            buf_addf(why, "the script used up its %s before", v->spent);
        return RD_EBUDGET;
    }
    lua_pushcfunction(v->L, on_error);
    lua_insert(v->L, base);
    vm_enter(v, NULL, 0);
    status = lua_pcall(v->L, n_args, n_results, base);
    vm_leave(v);
    rc = vm_status(v, status);
    if (rc) {
        tell_why(v, why);
        lua_settop(v->L, base - 1);
        return rc;
    }
    lua_remove(v->L, base);
    return 0;
}

/* (arguments…, module, name) → what the function returns */
static int call_module(lua_State *L)
{
    const char *name = lua_tostring(L, -1);
    int n_args = lua_gettop(L) - 2;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    lua_getfield(L, -1, " require");
    lua_pushvalue(L, n_args + 1);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_insert(L, 1);
    lua_settop(L, n_args + 1);
    lua_call(L, n_args, LUA_MULTRET);
    return lua_gettop(L);
}

int vm_call_module(struct vm *v, const char *module, const char *name, int n_args, int n_results,
                   struct buf *why)
{
    lua_pushstring(v->L, module);
    lua_pushstring(v->L, name);
    lua_pushcfunction(v->L, call_module);
    lua_insert(v->L, -(n_args + 3));
    return vm_call(v, n_args + 2, n_results, why);
}
