/* SPDX-License-Identifier: Apache-2.0 */
/* past.c - what was said and done so far, as a session is told it that was not there.
 *
 * - the history grows as turns come out of the transcript, in the order of the conversation: what the
 *   agent said as it was heard, what the caller said unless it must not be kept, tool calls with their
 *   output.
 * - a new session is told the history, then what is still in the transcript: what is being heard right
 *   now counts as heard. If the caller cuts in after all, it is told so (speak.c).
 * - a tool that still runs is told when its output is there: call and output together.
 *
 * Failure modes: no memory for an item: the model does not know of it. */
#include "call/call_internal.h"

void past_turn(struct call *c, const struct transcript_turn *t)
{
    bool caller = t->role == PROVIDER_CALLER;

    if (!(caller && t->paused))
        (void)history_add_turn(c->history, caller ? HISTORY_CALLER : HISTORY_AGENT,
                               rd_str(t->text));
}

static struct history_item item_of(const struct transcript_slot *s)
{
    struct rd_str text = {s->text.data, s->text.n};

    if (!s->tool_id[0])
        return (struct history_item){
            .kind = s->role == PROVIDER_CALLER ? HISTORY_CALLER : HISTORY_AGENT, .text = text};
    return (struct history_item){.kind = HISTORY_TOOL,
                                 .id = rd_str(s->tool_id),
                                 .name = rd_str(s->tool),
                                 .text = text,
                                 .output = {s->said.data, s->said.n},
                                 .has_output = s->final};
}

void past_on_tool(void *arg, const struct transcript_slot *s)
{
    struct history_item it = item_of(s);
    struct call *c = arg;

    if (!history_add_tool(c->history, it.id, it.name, it.text) && it.has_output)
        (void)history_tool_output(c->history, it.id, it.output);
}

void past_tool_output(struct call *c, struct rd_str id, struct rd_str output)
{
    if (!transcript_tool_output(&c->transcript, id, output))
        (void)history_tool_output(c->history, id, output);
}

static bool is_told(const struct transcript_slot *s)
{
    bool spoken = s->role == PROVIDER_CALLER || s->role == PROVIDER_AGENT;

    if (s->role == PROVIDER_CALLER && s->paused)
        return false;
    return s->tool_id[0] || (spoken && s->text.n > 0);
}

static void tell(struct call *c, struct history_item it)
{
    (void)c->provider_ops->remember(c->provider, &it);
}

void past_tell_session(struct call *c)
{
    for (size_t i = 0; i < history_count(c->history); i++)
        tell(c, history_at(c->history, i));
    for (uint32_t i = 0; i < c->transcript.n; i++)
        if (is_told(c->transcript.slots[i]))
            tell(c, item_of(c->transcript.slots[i]));
}

void past_tell_tool(struct call *c, struct rd_str id)
{
    struct history_item it;

    if (history_find_tool(c->history, id, &it)) {
        tell(c, it);
        return;
    }
    for (uint32_t i = 0; i < c->transcript.n; i++)
        if (rd_str_eq(rd_str(c->transcript.slots[i]->tool_id), id))
            tell(c, item_of(c->transcript.slots[i]));
}

bool past_waits_for_answer(const struct call *c)
{
    size_t n = history_count(c->history);

    return n > 0 && history_at(c->history, n - 1).kind != HISTORY_AGENT;
}
