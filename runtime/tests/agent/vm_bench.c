/* SPDX-License-Identifier: Apache-2.0 */
/* vm_bench - what a call's own VM costs: the time from nothing to the answer to the webhook, and the
 * memory afterwards, before and after a full collection.
 *
 *   vm_bench AGENTS LIBRARY [AGENT [SITE_AS_JSON]]      all agents of the folder
 *   vm_bench AGENTS LIBRARY --most KB                   few VMs; is one of them larger in a call?
 *   vm_bench AGENTS LIBRARY --flat CALLS                one VM after the other; is there more memory in use
 *                                                       after the last than after a tenth of them?
 *
 * One line per agent: the median of many VMs, in milliseconds of CPU. Exit 1 when one does not load or open, is larger, or
 * grows by more than a hundredth. */
#include "agent/agents.h"
#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "lua/vm.h"

#include <lua.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 501, FEW = 5, WHY_MAX = 65536 };

static const char form[] = "{\"CallSid\":\"CA00000000000000000000000000000001\","
                           "\"From\":\"+13125550142\",\"To\":\"+13125550100\"}";

/* Of this thread: what else the machine does is not the VM's time. */
static uint64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct cost {
    uint64_t us;
    size_t bytes, bytes_collected;
};

static int by_us(const void *a, const void *b)
{
    const struct cost *x = a, *y = b;

    return x->us < y->us ? -1 : x->us > y->us;
}

/* There is no database here: who calls is not known. */
static int no_database(lua_State *L)
{
    lua_pushnil(L);
    lua_pushstring(L, "there is no database in a benchmark");
    return 2;
}

/* Facts need a call's thread, which is not what is measured. */
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

/* As agent/activity.c does it, without the thread. */
static int open_call(struct vm *v, const struct agent_info *a, const char *site, struct buf *why)
{
    lua_State *L = vm_lua(v);

    lua_pushstring(L, agent_module(a));
    lua_pushstring(L, form);
    lua_pushstring(L, site);
    return vm_call_module(v, "ringdown.runtime", "open", 3, 5, why);
}

static int measure(const struct agent_info *a, const char *site, struct cost *out)
{
    struct vm_opts o = {.chunks = agent_chunks(a)};
    uint64_t began_us = cpu_us();
    struct vm *v = NULL;
    struct buf why;
    int rc = vm_new(&v, &o);

    if (rc)
        return rc;
    buf_init(&why, WHY_MAX);
    (void)vm_preload(v, "ringdown.host", open_host);
    rc = open_call(v, a, site, &why);
    if (rc)
        (void)fprintf(stderr, "%s: %s\n", a->name, buf_text(&why) ? buf_text(&why) : "");
    out->us = cpu_us() - began_us;
    lua_settop(vm_lua(v), 0);
    out->bytes = vm_memory(v);
    agent_settle(v);
    out->bytes_collected = vm_memory(v);
    buf_fini(&why);
    vm_free(v);
    return rc;
}

static int bench(const struct agent_info *a, const char *site, size_t most_kb)
{
    static struct cost costs[ROUNDS];
    int rounds = most_kb ? FEW : ROUNDS;
    struct cost middle;

    for (int i = 0; i < rounds; i++)
        if (measure(a, site, &costs[i]))
            return 1;
    qsort(costs, (size_t)rounds, sizeof(costs[0]), by_us);
    middle = costs[rounds / 2];
    printf("%-22s %6.3f ms (p10 %.3f), %6.1f KB, %6.1f KB after a collection\n", a->name,
           (double)middle.us / 1000, (double)costs[rounds / 10].us / 1000,
           (double)middle.bytes / 1024, (double)middle.bytes_collected / 1024);
    if (most_kb && middle.bytes_collected > most_kb * 1024) {
        (void)fprintf(stderr, "%s: a call's VM is larger than %zu KB; see docs/performance.md\n",
                      a->name, most_kb);
        return 1;
    }
    return 0;
}

/* The sanitizers' allocator counts for itself. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t in_use(void)
{
    struct mallinfo2 m;

    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static int grow(const struct agent_info *a, size_t calls)
{
    size_t early = 0, late;
    struct cost unused;

    for (size_t i = 0; i < calls; i++) {
        if (measure(a, NULL, &unused))
            return 1;
        if (i + 1 == calls / 10)
            early = in_use();
    }
    late = in_use();
    printf("%-22s %8zu bytes in use after %zu calls, %zu after %zu\n", a->name, early, calls / 10,
           late, calls);
    return late > early + early / 100;
}

int main(int argc, char **argv)
{
    struct agent_set *set = NULL;
    bool limited = argc == 5 && strcmp(argv[3], "--most") == 0;
    bool flat = argc == 5 && strcmp(argv[3], "--flat") == 0;
    size_t most_kb = limited ? strtoul(argv[4], NULL, 10) : 0;
    size_t calls = flat ? strtoul(argv[4], NULL, 10) : 0;
    struct buf complaints;
    int rc = argc < 3 || (limited && most_kb == 0) || (flat && calls < 10);

    buf_init(&complaints, WHY_MAX);
    if (rc || agent_set_load(&set, argv[1], argv[2], &complaints)) {
        (void)fprintf(stderr,
                      "usage: vm_bench AGENTS LIBRARY [AGENT [SITE] | --most KB | --flat CALLS]\n");
        return 1;
    }
    if (complaints.n > 0)
        (void)fprintf(stderr, "%s", buf_text(&complaints));
    rc = agent_set_errors(set) > 0;
    for (size_t i = 0; i < agent_set_count(set); i++)
        if (flat)
            rc |= grow(agent_set_at(set, i), calls);
        else if (argc < 4 || limited || strcmp(argv[3], agent_set_at(set, i)->name) == 0)
            rc |= bench(agent_set_at(set, i), argc > 4 && !limited ? argv[4] : NULL, most_kb);
    agent_set_unref(set);
    buf_fini(&complaints);
    return rc;
}
