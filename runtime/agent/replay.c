/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - a trusted VM with the library, for recorded calls.
 *
 * Failure: what the library raises comes back as RD_ESCRIPT; the VM can be asked again. */
#include "agent/replay.h"

#include "agent/box.h"
#include "base/err.h"

#include <errno.h>
#include <stdlib.h>

static const size_t memory_max = (size_t)1 << 30;

struct replay {
    struct chunks *library; /* owns */
    struct vm *vm;          /* owns */
};

int replay_new(struct replay **out, const char *library_path, struct buf *why)
{
    const char *const folders[] = {library_path, NULL};
    struct vm_opts opts = {.memory_max = memory_max, .trusted = true};
    struct replay *r = calloc(1, sizeof(*r));
    int rc = r ? chunks_new(&r->library, folders) : -ENOMEM;

    if (!rc) {
        opts.chunks = r->library;
        rc = vm_new(&r->vm, &opts);
    }
    if (!rc)
        rc = box_preload(r->vm, "", library_path);
    if (rc) {
        buf_addf(why, "%s", rd_strerror(rc));
        replay_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    vm_free(r->vm);
    chunks_free(r->library);
    free(r);
}

int replay_offer(struct replay *r, const char *name, struct agent_set *set)
{
    return box_offer(r->vm, name, set);
}

static int take_text(lua_State *L, int at, struct buf *out)
{
    size_t n;
    const char *text = lua_tolstring(L, at, &n);

    return text && out ? buf_add(out, text, n) : 0;
}

int replay_ask(struct replay *r, const char *function, const char *const *args, size_t n,
               struct buf *first, struct buf *second, struct buf *why)
{
    lua_State *L = vm_lua(r->vm);
    int top = lua_gettop(L), rc;

    luaL_checkstack(L, (int)n + 4, "too many texts");
    for (size_t i = 0; i < n; i++)
        lua_pushstring(L, args[i]);
    rc = vm_call_module(r->vm, "ringdown.replay", function, (int)n, 2, why);
    if (!rc)
        rc = take_text(L, top + 1, first);
    if (!rc)
        rc = take_text(L, top + 2, second);
    lua_settop(L, top);
    return rc;
}
