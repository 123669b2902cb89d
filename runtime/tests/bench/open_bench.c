/* SPDX-License-Identifier: Apache-2.0 */
/* open_bench - what a webhook costs until its answer, in instructions: the request read, its signature
 * checked, its form turned into JSON, the call's VM made and the agent opened in it, the document written;
 * and what is dropped after the answer. As gateway/webhook.c and agent/activity.c do it, without threads.
 *
 *   open_bench AGENTS LIBRARY AGENT
 *
 * Counted as bench/frame_bench.c, in one phase, `open`. */
#include "agent/agents.h"
#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "base/buf.h"
#include "bench/counted.h"
#include "carriers/twilio/form.h"
#include "carriers/twilio/twiml.h"
#include "carriers/twilio/verify.h"
#include "lua/vm.h"

#include <lua.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 10, TEXT_MAX = 65536 };

#define SID "CA00000000000000000000000000000001"

static const char body[] = "CallSid=" SID "&AccountSid=AC00000000000000000000000000000001"
                           "&From=%2B13125550142&To=%2B13125550100&CallStatus=ringing"
                           "&Direction=inbound&ApiVersion=2010-04-01&FromCity=CHICAGO";

/* There is no database here: who calls is not known. */
static int no_database(lua_State *L)
{
    lua_pushnil(L);
    lua_pushstring(L, "there is no database in a benchmark");
    return 2;
}

static int no_journal(lua_State *L)
{
    lua_pushboolean(L, 1);
    return 1;
}

static int open_host(lua_State *L)
{
    (void)api_open_call(L);
    lua_pushcfunction(L, no_journal);
    lua_setfield(L, -2, "fact");
    lua_pushcfunction(L, no_database);
    lua_setfield(L, -2, "query");
    return 1;
}

static int open_agent(struct vm *v, const struct agent_info *a, struct buf *form, struct buf *why)
{
    lua_State *L = vm_lua(v);

    (void)vm_preload(v, "ringdown.host", open_host);
    lua_pushstring(L, agent_module(a));
    lua_pushlstring(L, form->data, form->n);
    lua_pushnil(L);
    return vm_call_module(v, "ringdown.runtime", "open", 3, 5, why);
}

/* The signature is a wrong one, which takes as long to find out. */
static COUNTED int count_webhook(const struct agent_info *a, struct buf *why)
{
    static const char *const tokens[] = {"a-token-of-32-characters-or-so..", NULL};
    const struct twilio_auth auth = {.public_url = "https://calls.example.com", .tokens = tokens};
    struct vm_opts o = {.chunks = agent_chunks(a)};
    struct form *f = NULL;
    struct buf form, twiml;
    struct vm *v = NULL;
    int rc;

    buf_init(&form, TEXT_MAX);
    buf_init(&twiml, TEXT_MAX);
    rc = twilio_webhook_ok(&auth, RD_STR("/twilio/voice"),
                           RD_STR("application/x-www-form-urlencoded"), rd_str(body),
                           RD_STR("AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    if (!rc)
        rc = form_parse(&f, rd_str(body));
    if (!rc)
        rc = form_to_json(f, &form);
    if (!rc)
        rc = vm_new(&v, &o);
    if (!rc)
        rc = open_agent(v, a, &form, why);
    if (!rc)
        rc = twiml_stream(&twiml, "wss://calls.example.com/twilio/stream/token",
                          "https://calls.example.com/twilio/resume");
    if (!rc) {
        lua_settop(vm_lua(v), 0);
        agent_settle(v);
    }
    vm_free(v);
    form_free(f);
    buf_fini(&form);
    buf_fini(&twiml);
    return rc;
}

static const struct agent_info *named(struct agent_set *set, const char *name)
{
    for (size_t i = 0; i < agent_set_count(set); i++)
        if (strcmp(agent_set_at(set, i)->name, name) == 0)
            return agent_set_at(set, i);
    return NULL;
}

int main(int argc, char **argv)
{
    struct agent_set *set = NULL;
    const struct agent_info *a;
    struct buf why;
    int rc;

    buf_init(&why, TEXT_MAX);
    if (argc != 4 || agent_set_load(&set, argv[1], argv[2], &why)) {
        (void)fprintf(stderr, "usage: open_bench AGENTS LIBRARY AGENT\n");
        return 1;
    }
    a = named(set, argv[3]);
    rc = a ? count_webhook(a, &why) : -1; /* what is only once in a process */
    phase_begins();
    for (int i = 0; i < ROUNDS && !rc; i++)
        rc = count_webhook(a, &why);
    phase_ends("open", ROUNDS);
    if (rc)
        (void)fprintf(stderr, "open_bench: %s\n", why.n ? buf_text(&why) : "no such agent");
    agent_set_unref(set);
    buf_fini(&why);
    return rc != 0;
}
