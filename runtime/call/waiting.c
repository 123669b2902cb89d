/* SPDX-License-Identifier: Apache-2.0 */
/* waiting.c - how long the caller waits for an answer, and how much of it tools take.
 *
 *   caller stops ─▶ tools run ─▶ first words ─▶ first sound of the answer: measured, and with the agent's
 *                                               turn into the records
 *
 * - The metric and the record of the turn have the same number: both are taken at the first sound.
 * - Tools that run side by side take their time once.
 * - Who speaks again has not begun to wait; words beside the conversation are no answer.
 *
 * A turn of which nothing was heard has no record; the metric has counted it. */
#include "call/call_internal.h"

void waiting_begin(struct call *c)
{
    uint64_t now = call_now(c);

    c->waiting.since_ms = now;
    c->waiting.tool_ms = 0;
    c->waiting.tools_since_ms = c->tools.n > 0 ? now : 0;
}

void waiting_forget(struct call *c)
{
    c->waiting.since_ms = 0;
}

void waiting_tools(struct call *c)
{
    struct waiting *w = &c->waiting;
    uint64_t now = call_now(c);

    if (w->since_ms == 0)
        return;
    if (c->tools.n > 0 && w->tools_since_ms == 0)
        w->tools_since_ms = now;
    if (c->tools.n == 0 && w->tools_since_ms > 0) {
        w->tool_ms += (uint32_t)(now - w->tools_since_ms);
        w->tools_since_ms = 0;
    }
}

void waiting_over(struct call *c, struct rd_str item_id)
{
    struct waiting *w = &c->waiting;
    uint64_t now = call_now(c);
    struct turn_wait told = {.known = true};

    if (w->since_ms == 0)
        return;
    if (w->tools_since_ms > 0)
        w->tool_ms += (uint32_t)(now - w->tools_since_ms);
    told.audio_ms = (uint32_t)(now - w->since_ms);
    told.tool_ms = w->tool_ms;
    told.stopped_ms = w->since_ms - c->start_ms;
    metric_measure(w->measured, told.audio_ms);
    transcript_sounds(&c->transcript, item_id, &told, w->since_ms);
    w->since_ms = 0;
}
