/* SPDX-License-Identifier: Apache-2.0 */
/* api_call.c - what the library may do to the call it runs for. One-way commands to the call core:
 * they return at once, and nothing once the call is over. */
#include "agent/activity.h"
#include "agent/api/api.h"

#include <stdlib.h>

enum { WORDS_MAX = 4000, SLEEP_MAX_MS = 15000, DEADLINE_MAX_MS = 120000 };

static struct activity *self(lua_State *L)
{
    return vm_user(vm_of(L));
}

static int push_sent(lua_State *L, bool sent)
{
    if (!sent) {
        lua_pushnil(L);
        lua_pushliteral(L, "the call is over");
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

static bool is_live(const struct activity *a)
{
    return a->opened && !a->ending;
}

/* host.say(words:string) -> true | nil, message */
static int host_say(lua_State *L)
{
    struct activity *a = self(L);
    struct rd_str words;

    words.p = luaL_checklstring(L, 1, &words.n);
    luaL_argcheck(L, words.n > 0 && words.n <= WORDS_MAX, 1, "1 to 4000 bytes");
    if (is_live(a))
        activity_command(a, CMD_SAY, words, RD_STR(""), 0);
    return push_sent(L, is_live(a));
}

/* host.hang_up(reason:string) -> true | nil, message */
static int host_hang_up(lua_State *L)
{
    struct activity *a = self(L);
    const char *reason = luaL_checkstring(L, 1);

    if (is_live(a))
        activity_command(a, CMD_HANG_UP, rd_str(reason), RD_STR(""), 0);
    return push_sent(L, is_live(a));
}

/* host.transfer(to:string) -> true | nil, message      one of the agent's people; once what is being
 * said was heard */
static int host_transfer(lua_State *L)
{
    struct activity *a = self(L);
    const char *to = luaL_checkstring(L, 1);

    if (is_live(a))
        activity_command(a, CMD_TRANSFER, rd_str(to), RD_STR(""), 0);
    return push_sent(L, is_live(a));
}

/* host.pause(on:boolean) -> true | nil, message */
static int host_pause(lua_State *L)
{
    struct activity *a = self(L);

    luaL_checktype(L, 1, LUA_TBOOLEAN);
    if (is_live(a))
        activity_command(a, CMD_PAUSE, RD_STR("agent"), RD_STR(""), (uint32_t)lua_toboolean(L, 1));
    return push_sent(L, is_live(a));
}

static void replace(char **field, const char *text)
{
    free(*field);
    *field = text ? strdup(text) : NULL;
}

/* host.deadline(ms:integer, failed_output:string, [filler:string, filler_after_ms:integer,
 *               second_filler:string])
 * For the job that runs now: when it must be done, what the model gets if not, and what the caller
 * hears meanwhile, at most twice. */
static int host_deadline(lua_State *L)
{
    struct job *j = job_of(L);
    lua_Number ms = luaL_checknumber(L, 1);
    const char *output = luaL_checkstring(L, 2), *filler = luaL_optstring(L, 3, NULL);
    lua_Number after_ms = luaL_optnumber(L, 4, 800);

    luaL_argcheck(L, ms >= 1 && ms <= DEADLINE_MAX_MS, 1, "1 ms to 2 minutes");
    luaL_argcheck(L, after_ms >= 0 && after_ms <= DEADLINE_MAX_MS, 4, "0 to 2 minutes");
    if (!j)
        return luaL_error(L, "no job runs");
    replace(&j->failed_output, output);
    replace(&j->filler_words, filler);
    replace(&j->second_filler, luaL_optstring(L, 5, NULL));
    job_set_deadline(j, (uint32_t)ms);
    if (filler)
        loop_timer_in(j->filler, (uint64_t)after_ms);
    return 0;
}

struct nap {
    struct task *task;
    struct loop_timer *timer;
};

static void wake(void *arg)
{
    struct nap *n = arg;
    struct task *t = n->task;

    loop_timer_free(n->timer);
    free(n);
    task_resume(t, 0);
}

static void cancel_nap(void *arg)
{
    struct nap *n = arg;

    loop_timer_free(n->timer);
    free(n);
}

/* host.sleep(ms:integer)      (waits) */
static int host_sleep(lua_State *L)
{
    struct task *t = task_check_wait(L);
    lua_Number ms = luaL_checknumber(L, 1);
    struct nap *n;

    luaL_argcheck(L, ms >= 0 && ms <= SLEEP_MAX_MS, 1, "0 to 15000");
    n = calloc(1, sizeof(*n));
    if (!n || loop_timer_new(&n->timer, self(L)->thread->loop, wake, n)) {
        free(n);
        return luaL_error(L, "not enough memory");
    }
    n->task = t;
    loop_timer_in(n->timer, (uint64_t)ms);
    return task_wait(L, cancel_nap, n);
}

static const luaL_Reg functions[] = {
    {"say", host_say},     {"hang_up", host_hang_up},   {"transfer", host_transfer},
    {"pause", host_pause}, {"deadline", host_deadline}, {NULL, NULL},
};

void api_call_register(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
    api_nap_register(L);
}

void api_nap_register(lua_State *L)
{
    static const luaL_Reg naps[] = {{"sleep", host_sleep}, {NULL, NULL}};

    luaL_setfuncs(L, naps, 0);
}
