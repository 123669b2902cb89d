/* SPDX-License-Identifier: Apache-2.0 */
/* toolcall.c - a short unordered table. A result without an open call is dropped by the caller: the
 * model has had one already. */
#include "call/toolcall.h"

bool toolcall_begin(struct toolcalls *t, struct rd_str id, struct rd_str name, uint64_t now_ms)
{
    struct toolcall *c = &t->open[t->n];

    if (t->n == TOOLCALL_MAX || id.n == 0 || id.n >= TOOLCALL_ID || name.n >= TOOLCALL_NAME)
        return false;
    for (uint32_t i = 0; i < t->n; i++)
        if (rd_str_eq(rd_str(t->open[i].id), id))
            return false;
    (void)rd_str_copy(c->id, sizeof(c->id), id);
    (void)rd_str_copy(c->name, sizeof(c->name), name);
    c->began_ms = now_ms;
    c->deadline_ms = now_ms + TOOLCALL_TIMEOUT_MS;
    c->carried = false;
    t->n++;
    return true;
}

static void take_at(struct toolcalls *t, uint32_t i, struct toolcall *out)
{
    *out = t->open[i];
    t->open[i] = t->open[--t->n];
}

bool toolcall_take(struct toolcalls *t, struct rd_str id, struct toolcall *out)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (rd_str_eq(rd_str(t->open[i].id), id)) {
            take_at(t, i, out);
            return true;
        }
    }
    return false;
}

bool toolcall_take_late(struct toolcalls *t, uint64_t now_ms, struct toolcall *out)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (now_ms >= t->open[i].deadline_ms) {
            take_at(t, i, out);
            return true;
        }
    }
    return false;
}

void toolcall_carry(struct toolcalls *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        t->open[i].carried = true;
}

uint64_t toolcall_deadline_ms(const struct toolcalls *t)
{
    uint64_t first = 0;

    for (uint32_t i = 0; i < t->n; i++)
        if (first == 0 || t->open[i].deadline_ms < first)
            first = t->open[i].deadline_ms;
    return first;
}
