/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - runs coroutines in turns and lets them wait.
 *
 * - task_run() resumes. The hook may yield after the task's share (it is READY again), a C function
 *   may yield through task_wait() (WAITING); a return ends it.
 * - The slice counts from being started or woken until the next wait or end, over all shares: a
 * task that never waits cannot run for longer by stepping aside.
 *
 * Failure: an error ends the task and leaves the coroutine as it is (its stack gives the
 * traceback). It is never reset: that would run to-be-closed variables where hooks may be off. A
 * broken limit ends the whole VM: task_error() is RD_EBUDGET and no task of it runs again. */
#include "lua/task.h"

#include "base/err.h"
#include "lua/vm_private.h"

#include <errno.h>
#include <stdlib.h>

enum { MESSAGE_MAX = 500, WHY_MAX = 8000 };

struct task {
    struct vm *vm; /* borrows */
    lua_State *co; /* held by ref */
    int ref;
    enum task_state state;
    int n_resume; /* values on top of co to pass in */
    int error;
    struct slice_used used; /* of its slice */
    task_cancel_fn *cancel; /* while waiting */
    void *cancel_ptr;
    task_ready_fn *ready;
    void *arg;
    char message[MESSAGE_MAX];
    struct buf why;
    struct task *next, *prev;
};

/* The thread, and where it is kept: protected, because both want memory. */
static int make_thread(lua_State *L)
{
    lua_newthread(L);
    lua_pushvalue(L, -1);
    lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
    return 2;
}

int task_new(struct task **out, struct vm *v, int n_args, task_ready_fn *ready, void *arg)
{
    struct task *t = NULL;
    int rc = v->spent ? RD_EBUDGET : -ENOMEM;

    if (v->spent)
        goto fail;
    t = calloc(1, sizeof(*t));
    if (!t)
        goto fail;
    t->vm = v;
    t->ref = LUA_NOREF;
    t->n_resume = n_args;
    t->ready = ready;
    t->arg = arg;
    buf_init(&t->why, WHY_MAX);
    lua_pushcfunction(v->L, make_thread);
    if (lua_pcall(v->L, 0, 2, 0) != LUA_OK) {
        lua_pop(v->L, 1);
        goto fail;
    }
    t->co = lua_tothread(v->L, -2);
    t->ref = (int)lua_tointeger(v->L, -1);
    lua_pop(v->L, 2);
    lua_xmove(v->L, t->co, n_args + 1);
    t->next = v->tasks;
    if (t->next)
        t->next->prev = t;
    v->tasks = t;
    *out = t;
    return 0;
fail:
    lua_pop(v->L, n_args + 1);
    free(t);
    return rc;
}

/* (module, name, arguments…): waits and steps aside pass through both calls. */
static int enter_finished(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return lua_gettop(L);
}

static int enter_function(lua_State *L, int status, lua_KContext ctx)
{
    int n_args = lua_gettop(L) - 3; /* module, name, arguments…, table */

    (void)status;
    (void)ctx;
    lua_pushvalue(L, 2);
    lua_gettable(L, -2);
    lua_replace(L, 2);
    lua_pop(L, 1);
    lua_remove(L, 1);
    lua_callk(L, n_args, LUA_MULTRET, 0, enter_finished);
    return lua_gettop(L);
}

static int enter_module(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    lua_getfield(L, -1, " require");
    lua_remove(L, -2);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 1, 0, enter_function);
    return enter_function(L, LUA_OK, 0);
}

int task_new_module(struct task **out, struct vm *v, const char *module, const char *name,
                    int n_args, task_ready_fn *ready, void *arg)
{
    int base = lua_gettop(v->L) - n_args + 1;

    lua_pushcfunction(v->L, enter_module);
    lua_insert(v->L, base);
    lua_pushstring(v->L, module);
    lua_insert(v->L, base + 1);
    lua_pushstring(v->L, name);
    lua_insert(v->L, base + 2);
    return task_new(out, v, n_args + 2, ready, arg);
}

static int push_traceback(lua_State *L)
{
    struct task *t = lua_touserdata(L, 1);

    luaL_traceback(L, t->co, t->message, 0);
    return 1;
}

static void tell_failure(struct task *t)
{
    lua_State *L = t->vm->L, *co = t->co;
    const char *text = NULL;

    if (lua_gettop(co) > 0 && lua_type(co, -1) == LUA_TSTRING)
        text = lua_tostring(co, -1);
    buf_clear(&t->why);
    if (t->vm->spent)
        buf_addf(&t->why, "the script used up its %s", t->vm->spent);
    else if (text)
        buf_addf(&t->why, "%.400s", text);
    else
        buf_addf(&t->why, "(an error that is a %s)", luaL_typename(co, -1));
    rd_str_copy(t->message, sizeof(t->message), (struct rd_str){t->why.data, t->why.n});
    lua_pushcfunction(L, push_traceback);
    lua_pushlightuserdata(L, t);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
        buf_clear(&t->why);
        buf_addf(&t->why, "%.7000s", lua_tostring(L, -1));
    }
    lua_pop(L, 1);
}

static enum task_state finish(struct task *t, int status)
{
    int rc = vm_status(t->vm, status);

    if (rc) {
        t->error = rc;
        tell_failure(t);
        return t->state = TASK_FAILED;
    }
    if (status == LUA_OK)
        return t->state = TASK_DONE;
    if (t->vm->preempted)
        return t->state = TASK_READY;
    return t->state; /* task_wait() said WAITING; a trusted script's own yield leaves it READY */
}

enum task_state task_run(struct task *t, uint32_t share_ms)
{
    struct vm *v = t->vm;
    int n = t->n_resume, n_results, status;

    if (t->state != TASK_READY)
        return t->state;
    if (v->spent) {
        t->error = RD_EBUDGET;
        tell_failure(t);
        return t->state = TASK_FAILED;
    }
    t->n_resume = 0;
    v->running = t;
    vm_enter(v, &t->used, (uint64_t)share_ms * 1000);
    status = lua_resume(t->co, NULL, n, &n_results);
    vm_leave(v);
    t->used = slice_end(&v->slice);
    v->running = NULL;
    return finish(t, status);
}

void task_free(struct task *t)
{
    if (!t)
        return;
    if (t->state == TASK_WAITING && t->cancel)
        t->cancel(t->cancel_ptr);
    if (t->prev)
        t->prev->next = t->next;
    else
        t->vm->tasks = t->next;
    if (t->next)
        t->next->prev = t->prev;
    luaL_unref(t->vm->L, LUA_REGISTRYINDEX, t->ref);
    buf_fini(&t->why);
    free(t);
}

void task_free_all(struct vm *v)
{
    struct task *next;

    for (struct task *t = v->tasks; t; t = next) {
        next = t->next;
        task_free(t);
    }
}

lua_State *task_lua(struct task *t)
{
    return t->co;
}

struct vm *task_vm(struct task *t)
{
    return t->vm;
}

enum task_state task_state(const struct task *t)
{
    return t->state;
}

int task_error(const struct task *t)
{
    return t->error;
}

const char *task_message(const struct task *t)
{
    return t->message;
}

const char *task_why(struct task *t)
{
    const char *text = buf_text(&t->why);

    return text ? text : t->message;
}

struct task *task_of(lua_State *L)
{
    return vm_of(L)->running;
}

void *task_arg(struct task *t)
{
    return t->arg;
}

struct task *task_check_wait(lua_State *L)
{
    struct task *t = task_of(L);

    if (!t)
        luaL_error(L, "cannot wait while the file is being loaded");
    if (!lua_isyieldable(L))
        luaL_error(L, "cannot wait inside a callback of string.gsub or table.sort");
    return t;
}

int task_wait(lua_State *L, task_cancel_fn *cancel, void *ptr)
{
    struct task *t = task_of(L);

    t->state = TASK_WAITING;
    t->cancel = cancel;
    t->cancel_ptr = ptr;
    return lua_yield(L, 0);
}

void task_resume(struct task *t, int n_values)
{
    if (t->state != TASK_WAITING)
        return;
    t->state = TASK_READY;
    t->cancel = NULL;
    t->cancel_ptr = NULL;
    t->n_resume = n_values;
    t->used = (struct slice_used){0};
    if (t->ready)
        t->ready(t, t->arg);
}
