/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.c - one door into the control VM.
 *
 * - every entry is a C function called through vm_call() with one light pointer, so that whatever
 * may raise in Lua (memory above all) raises inside the protected call
 * - results are copied out before the call returns; nothing of Lua's is kept
 * - a VM that broke its limits is thrown away and made anew, and the summaries are rebuilt from the
 *   ring of events: one mad request does not end the control plane */
#include "control/handlers.h"

#include "agent/api/api.h"
#include "agent/host.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/lent.h"
#include "lua/vm.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum { VM_BYTES = 64 << 20, SLICE_MS = 1000, JSON_BYTES = 4 << 20, WHY_BYTES = 16 << 10 };

struct handlers {
    struct vm *vm;               /* owns */
    struct chunks *chunks;       /* owns */
    const struct events *events; /* borrows */
    struct script_lent lent;     /* the node that is attached, if any */
    struct buf text;             /* owns: JSON on its way into Lua */
};

/* What one entry carries across: both directions. */
struct entry {
    const struct admin_request *request;
    struct admin_answer *answer;
    struct rd_str json;
};

/* Where the api object lives in the registry; the address is the key. */
static const char api_key = 'a';

/* ---- what Lua may call ---- */

static struct handlers *self(lua_State *L)
{
    return vm_user(vm_of(L));
}

/* host.events_after(number:integer) -> json, count */
static int host_events_after(lua_State *L)
{
    struct handlers *h = self(L);
    lua_Number after = luaL_checknumber(L, 1);
    int n;

    luaL_argcheck(L, after >= 0 && after < 9e15, 1, "must be the number of an event");
    buf_clear(&h->text);
    n = events_after(h->events, (uint64_t)after, &h->text);
    if (n < 0)
        return luaL_error(L, "%s", rd_strerror(n));
    lua_pushlstring(L, h->text.data, h->text.n);
    lua_pushinteger(L, n);
    return 2;
}

/* host.events_last() -> number */
static int host_events_last(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)events_last(self(L)->events));
    return 1;
}

static const luaL_Reg event_functions[] = {
    {"events_after", host_events_after},
    {"events_last", host_events_last},
    {NULL, NULL},
};

/* ---- the entries: each runs inside vm_call() ---- */

static int enter_start(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, "ringdown.api");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "new");
    api_node_push(L, &self(L)->lent);
    luaL_setfuncs(L, event_functions, 0);
    lua_call(L, 1, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &api_key);
    return 0;
}

static void push_api_function(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &api_key);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static int enter_record(lua_State *L)
{
    const struct entry *e = lua_touserdata(L, 1);

    push_api_function(L, "record");
    lua_pushlstring(L, e->json.p, e->json.n);
    lua_call(L, 1, 0);
    return 0;
}

static int enter_handle(lua_State *L)
{
    struct entry *e = lua_touserdata(L, 1);
    const struct admin_request *r = e->request;
    const char *body;
    size_t n;

    push_api_function(L, "handle");
    lua_pushlstring(L, r->method.p, r->method.n);
    lua_pushlstring(L, r->target.p, r->target.n);
    lua_pushboolean(L, r->waited);
    lua_pushlstring(L, r->body.p ? r->body.p : "", r->body.n);
    lua_pushstring(L, r->who ? r->who : "");
    lua_call(L, 5, 3);
    if (lua_isnil(L, -3) && !r->waited) {
        lua_Integer wait = luaL_checkinteger(L, -1);

        e->answer->wait_ms = wait < 0 ? 0 : wait > 60000 ? 60000 : (unsigned)wait;
        return 0;
    }
    body = luaL_checklstring(L, -2, &n);
    if (buf_add(&e->answer->body, body, n) != 0)
        return luaL_error(L, "the answer is too large");
    e->answer->status = (int)luaL_checkinteger(L, -3);
    return 0;
}

static int enter(struct handlers *h, lua_CFunction fn, struct entry *e, struct buf *why)
{
    lua_State *L = vm_lua(h->vm);

    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, e);
    return vm_call(h->vm, 1, 0, why);
}

/* ---- life ---- */

static int make_vm(struct handlers *h, struct buf *why)
{
    struct vm_opts opts = {.memory_max = VM_BYTES,
                           .slice_ms = SLICE_MS,
                           .instructions_max = UINT64_MAX,
                           .chunks = h->chunks,
                           .trusted = true,
                           .user = h};
    int rc = vm_new(&h->vm, &opts);

    return rc ? rc : enter(h, enter_start, NULL, why);
}

int handlers_new(struct handlers **out, const char *library_path, const struct events *events,
                 struct buf *why)
{
    struct handlers *h = calloc(1, sizeof(*h));
    const char *const dirs[] = {library_path, NULL};
    int rc;

    if (!h)
        return -ENOMEM;
    h->events = events;
    h->lent.can = &node_lent;
    buf_init(&h->text, JSON_BYTES);
    rc = chunks_new(&h->chunks, dirs);
    if (rc)
        goto fail;
    rc = make_vm(h, why);
    if (rc)
        goto fail;
    *out = h;
    return 0;
fail:
    handlers_free(h);
    return rc;
}

void handlers_free(struct handlers *h)
{
    if (!h)
        return;
    vm_free(h->vm);
    chunks_free(h->chunks);
    buf_fini(&h->text);
    free(h);
}

void handlers_attach(struct handlers *h, struct node *n)
{
    h->lent.arg = n;
}

static void log_failure(const char *event, int rc, struct buf *why)
{
    log_error(event, F_ERR(rc), F_RAISED("traceback", buf_text(why) ? buf_text(why) : ""),
              F_FIX("is scripts/ringdown/api of the same version as the program?"));
}

/* A new VM that knows what the ring still holds. */
static void revive(struct handlers *h)
{
    struct buf why;
    struct entry e = {0};
    int rc;

    buf_init(&why, WHY_BYTES);
    vm_free(h->vm);
    h->vm = NULL;
    rc = make_vm(h, &why);
    for (unsigned i = 0; !rc; i++) {
        e.json = events_at(h->events, i);
        if (!e.json.p)
            break;
        rc = enter(h, enter_record, &e, &why);
    }
    if (rc)
        log_failure("control.vm_lost", rc, &why);
    buf_fini(&why);
}

/* False: there is no VM that could run anything. */
static bool ready(struct handlers *h)
{
    if (!h->vm || vm_spent(h->vm))
        revive(h);
    return h->vm && !vm_spent(h->vm);
}

void handlers_record(struct handlers *h, struct rd_str json)
{
    struct entry e = {.json = json};
    struct buf why;
    int rc;

    if (!ready(h))
        return;
    buf_init(&why, WHY_BYTES);
    rc = enter(h, enter_record, &e, &why);
    if (rc)
        log_failure("control.record_failed", rc, &why);
    buf_fini(&why);
}

void handlers_run(struct handlers *h, const struct admin_request *r, struct admin_answer *a)
{
    struct entry e = {.request = r, .answer = a};
    struct buf why;
    int rc = RD_ESCRIPT;

    buf_init(&why, WHY_BYTES);
    a->status = 0;
    a->wait_ms = 0;
    buf_clear(&a->body);
    if (ready(h))
        rc = enter(h, enter_handle, &e, &why);
    if (rc) {
        log_failure("control.request_failed", rc, &why);
        a->status = 500;
        a->wait_ms = 0;
        buf_clear(&a->body);
        buf_add_str(&a->body, "{\"error\":\"the handler failed\",\"fix\":\"the log has its "
                              "traceback\"}");
    }
    buf_fini(&why);
}
