/* SPDX-License-Identifier: Apache-2.0 */
/* api_query.c - a script asks PostgreSQL and waits for the answer.
 *
 *   host.query() ─ ticket, question ─▶ asker's thread ─ answer into the thread's list, MSG_QUERIED ─▶
 *   this thread takes the list ─▶ each task goes on
 *
 * host.query is the library's: as Ringdown itself. host.db is the agent's: as a role of its own that
 * may use what its file declares, and nothing else (store/agent_role.h).
 *
 * A ticket is a number, because the task may be gone (the caller hung up, a deadline passed) when
 * the answer comes; an answer nobody waits for is thrown away. The message is only a knock: when
 * the mailbox is full, the answer lies in the list until the next knock. */
#include "agent/activity.h"
#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "store/asker.h"

#include <errno.h>
#include <stdlib.h>

enum {
    PARAMS_MAX = 64,
    SQL_MAX = 64 * 1024,
    PARAM_BYTES_MAX = 256 * 1024,
    AGENT_ROWS = 500,
    AGENT_BYTES = 1 << 20,
    OPERATION_ROWS = 20000,
    OPERATION_BYTES = 16 << 20,
    OPERATION_PARAM_BYTES = 1 << 20 /* lists of callers */
};

#define BUSY "too many questions wait for the database"

struct query_wait {
    struct query_wait *next;
    struct task *task; /* borrows */
    struct query_desk *desk;
    struct loop_timer *timer; /* owns; NULL: it waits as long as the job may */
    uint64_t ticket;
    struct queried *place; /* borrows: it is there until its answer has been taken */
    bool with_columns;
};

struct queried {
    struct queried *next;
    struct answer *answer; /* owns; NULL: no memory for one */
    uint64_t ticket;
    atomic_bool begun; /* the database was asked; before, it waits for others */
};

/* A thread's waiting tasks and arrived answers; lives as long as the thread. */
struct query_desk {
    struct script_thread *thread; /* borrows */
    struct query_wait *waits;     /* the tasks own theirs */
    pthread_mutex_t lock;         /* of arrived */
    struct queried *arrived;      /* owns */
};

/* What the asker holds meanwhile. */
struct query_ticket {
    struct query_desk *desk;
    struct queried *place; /* owns: made before, so that an answer is never lost for memory */
};

static void cancel_wait(void *arg)
{
    struct query_wait *w = arg, **link = &w->desk->waits;

    while (*link && *link != w)
        link = &(*link)->next;
    if (*link)
        *link = w->next;
    loop_timer_free(w->timer);
    free(w);
}

/* A thread of the asker. */
static void on_answer(void *arg, struct answer *answer)
{
    struct query_ticket *t = arg;
    struct query_desk *d = t->desk;
    struct message *m = message_new(MSG_QUERIED, 0, NULL, 0);

    t->place->answer = answer;
    pthread_mutex_lock(&d->lock);
    t->place->next = d->arrived;
    d->arrived = t->place;
    pthread_mutex_unlock(&d->lock);
    free(t);
    if (m)
        (void)mailbox_post(d->thread->mailbox, m);
    atomic_fetch_sub(&d->thread->n_tickets, 1);
}

/* ---- the answer as values ---- */

static void push_columns(lua_State *L, const struct answer *a)
{
    size_t at = 0;

    lua_createtable(L, a->n_rows ? a->n_columns : 0, 0);
    for (int i = 1; a->n_rows && i <= a->n_columns; i++) {
        uint32_t type;

        lua_createtable(L, 2, 0);
        lua_pushstring(L, answer_column(a, &at, &type));
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, type);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, i);
    }
}

static void push_rows(lua_State *L, const struct answer *a)
{
    size_t at = 0;

    lua_createtable(L, (int)a->n_rows, 0);
    for (uint32_t row = 1; row <= a->n_rows; row++) {
        lua_createtable(L, a->n_columns, 0);
        for (int i = 1; i <= a->n_columns; i++) {
            struct rd_str cell = answer_cell(a, &at);

            if (cell.p)
                lua_pushlstring(L, cell.p, cell.n);
            else
                lua_pushboolean(L, 0);
            lua_rawseti(L, -2, i);
        }
        lua_rawseti(L, -2, row);
    }
}

/* May raise for want of memory: called through lua_pcall. */
static int push_answer(lua_State *L)
{
    const struct answer *a = lua_touserdata(L, 1);
    bool with_columns = lua_toboolean(L, 2);

    lua_settop(L, 0);
    if (!a)
        return api_push_failure(L, "not enough memory", "down");
    if (a->rc == RD_EREFUSED)
        return api_push_failure(L, a->why, a->sqlstate);
    if (a->rc == RD_ETOOBIG)
        return api_push_failure(L, a->why, "too_big");
    if (a->rc)
        return api_push_failure(L, a->why, "down");
    push_rows(L, a);
    if (with_columns)
        push_columns(L, a);
    else
        lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)a->affected);
    return 3;
}

static void on_late(void *arg)
{
    struct query_wait *w = arg;
    struct task *task = w->task;
    bool begun = atomic_load(&w->place->begun);

    cancel_wait(w);
    task_resume(task, begun ? api_push_failure(task_lua(task), "the database is slow", "down")
                            : api_push_failure(task_lua(task), BUSY, "busy"));
}

static void go_on(struct query_desk *d, struct queried *q)
{
    struct query_wait *w = d->waits;
    struct task *task;
    lua_State *L;
    bool with_columns;

    while (w && w->ticket != q->ticket)
        w = w->next;
    if (!w)
        return;
    task = w->task;
    with_columns = w->with_columns;
    cancel_wait(w);
    L = vm_lua(task_vm(task));
    lua_pushcfunction(L, push_answer);
    lua_pushlightuserdata(L, q->answer);
    lua_pushboolean(L, with_columns);
    api_resume(task, 2);
}

static void free_queried(struct queried *q)
{
    answer_free(q->answer);
    free(q);
}

static struct queried *take_arrived(struct query_desk *d)
{
    struct queried *list;

    pthread_mutex_lock(&d->lock);
    list = d->arrived;
    d->arrived = NULL;
    pthread_mutex_unlock(&d->lock);
    return list;
}

void api_query_arrived(struct script_thread *t)
{
    struct queried *list = t->queries ? take_arrived(t->queries) : NULL;

    while (list) {
        struct queried *q = list;

        list = q->next;
        go_on(t->queries, q);
        free_queried(q);
    }
}

void api_query_free(struct script_thread *t)
{
    struct query_desk *d = t->queries;

    if (!d)
        return;
    for (struct queried *q = take_arrived(d), *next; q; q = next) {
        next = q->next;
        free_queried(q);
    }
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
    t->queries = NULL;
}

/* ---- the question ---- */

static struct query_desk *desk_of(struct script_thread *t)
{
    if (!t->queries) {
        t->queries = calloc(1, sizeof(*t->queries));
        if (t->queries) {
            t->queries->thread = t;
            (void)pthread_mutex_init(&t->queries->lock, NULL);
        }
    }
    return t->queries;
}

/* The table at index 2: texts, numbers and true as text, false as null. They stay on the stack, so
 * that they live as long as the caller needs them. */
static int read_params(lua_State *L, const char *params[PARAMS_MAX], size_t bytes_max)
{
    lua_Integer n = luaL_opt(L, luaL_len, 2, 0);
    size_t bytes = 0;

    luaL_argcheck(L, n <= PARAMS_MAX, 2, "more than 64 parameters");
    luaL_checkstack(L, (int)n, "parameters");
    for (int i = 1; i <= n; i++) {
        size_t len = 0;

        lua_rawgeti(L, 2, i);
        params[i - 1] = NULL;
        if (lua_isboolean(L, -1)) {
            if (lua_toboolean(L, -1))
                params[i - 1] = "true";
            continue;
        }
        luaL_argcheck(L, lua_isstring(L, -1), 2, "a parameter is no text, number or boolean");
        params[i - 1] = luaL_tolstring(L, -1, &len);
        lua_remove(L, -2);
        luaL_argcheck(L, strlen(params[i - 1]) == len, 2, "a parameter holds a zero byte");
        bytes += len;
    }
    if (bytes > bytes_max)
        return luaL_error(L, "parameters of more than %d KiB", (int)(bytes_max / 1024));
    return (int)n;
}

static int ask(struct asker *asker, struct query_wait *w, struct question *q)
{
    struct query_ticket *t = malloc(sizeof(*t));
    struct queried *place = calloc(1, sizeof(*place));
    atomic_uint *tickets = &w->desk->thread->n_tickets;
    int rc = -ENOMEM;

    if (t && place) {
        place->ticket = w->ticket;
        *t = (struct query_ticket){w->desk, place};
        q->begun = &place->begun;
        q->done = on_answer;
        q->arg = t;
        atomic_fetch_add(tickets, 1);
        w->place = place;
        rc = asker_ask(asker, q);
        if (!rc)
            return 0;
        atomic_fetch_sub(tickets, 1);
    }
    free(t);
    free(place);
    return rc;
}

/* 0: as long as the job may. */
static int bound_wait(struct query_wait *w, lua_Integer timeout_ms)
{
    int rc = timeout_ms > 0 ? loop_timer_new(&w->timer, w->desk->thread->loop, on_late, w) : 0;

    if (w->timer)
        loop_timer_in(w->timer, (uint64_t)timeout_ms);
    return rc;
}

static int ask_and_wait(lua_State *L, struct asker *asker, struct question q, bool with_columns)
{
    struct task *task = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    const char *params[PARAMS_MAX];
    struct query_desk *d = desk_of(a->thread);
    struct query_wait *w;
    lua_Integer timeout_ms;
    size_t n_sql;
    int rc = -ENOMEM;

    timeout_ms = luaL_optinteger(L, 3, 0);
    lua_settop(L, 2);
    q.sql = luaL_checklstring(L, 1, &n_sql);
    luaL_argcheck(L, n_sql <= SQL_MAX && strlen(q.sql) == n_sql, 1, "at most 64 KiB of text");
    q.n_params = read_params(L, params, a->operation ? OPERATION_PARAM_BYTES : PARAM_BYTES_MAX);
    q.params = params;
    if (!asker)
        return api_push_failure(L, "this node keeps nothing: it has no database", "down");
    w = d ? calloc(1, sizeof(*w)) : NULL;
    if (w) {
        *w = (struct query_wait){.next = d->waits,
                                 .task = task,
                                 .desk = d,
                                 .ticket = ++a->thread->last_ticket,
                                 .with_columns = with_columns};
        d->waits = w;
        rc = bound_wait(w, timeout_ms);
        if (!rc)
            rc = ask(asker, w, &q);
        if (rc)
            cancel_wait(w);
    }
    if (rc)
        return rc == RD_EFULL ? api_push_failure(L, BUSY, "busy")
                              : api_push_failure(L, rd_strerror(rc), "down");
    return task_wait(L, cancel_wait, w);
}

/* host.query(sql:string, params:{string|number|boolean}, [timeout_ms:integer])
 *   -> rows: list of lists of text, false for null | nil, message, "down"|"busy"|"too_big"|SQLSTATE
 *                                                                                       (waits) */
static int host_query(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));
    const struct script_opts *opts = &a->thread->pool->opts;
    struct asker *asker = a->thread->aside && opts->aside_asker ? opts->aside_asker : opts->asker;
    struct question q = {0};

    if (a->operation)
        q = (struct question){.rows_max = OPERATION_ROWS, .bytes_max = OPERATION_BYTES};
    return ask_and_wait(L, asker, q, false);
}

/* host.db(sql, params) -> rows, columns: list of {name, type}, rows changed or read | as above
 *                                                                                       (waits) */
static int host_db(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));
    struct question q = {.role = a->agent->name,
                         .grants = a->agent->tables,
                         .rows_max = AGENT_ROWS,
                         .bytes_max = AGENT_BYTES};

    return ask_and_wait(L, a->thread->pool->opts.agent_asker, q, true);
}

/* host.agent() -> name: whose data this is. Not what a script could have changed. */
static int host_agent(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));

    lua_pushstring(L, a->agent->name);
    return 1;
}

void api_rows_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"query", host_query}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}

void api_query_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"query", host_query}, {"db", host_db}, {"agent", host_agent}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
