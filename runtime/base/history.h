/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - what was said and done in a call so far, for a model that was not there: a new provider
 * session, on this node or another. Bounded; the oldest goes first. Not shared between threads.
 *
 * An item is what the caller said, what was heard of the agent, or one tool call together with what
 * came of it, so that neither is ever told without the other. */
#ifndef BASE_HISTORY_H
#define BASE_HISTORY_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    HISTORY_ITEMS = 200,
    HISTORY_BYTES = 64 * 1024,    /* of all words together */
    HISTORY_TEXT_MAX = 16 * 1024, /* of one; what is longer is cut */
};

enum history_kind { HISTORY_CALLER, HISTORY_AGENT, HISTORY_TOOL };

struct history;

/* Borrowed from the history until it changes. */
struct history_item {
    enum history_kind kind;
    struct rd_str text; /* what was said; of a tool its arguments, as the model wrote them */
    struct rd_str id, name, output; /* HISTORY_TOOL only */
    bool has_output; /* HISTORY_TOOL only; false: it runs, and has not answered yet */
};

struct history *history_new(void); /* NULL: no memory */
void history_free(struct history *h);

/* Copies. Nothing is added for words that are empty. -ENOMEM. */
int history_add_turn(struct history *h, enum history_kind who, struct rd_str text);

/* A tool was called; it runs until its output is told. -ENOMEM. */
int history_add_tool(struct history *h, struct rd_str id, struct rd_str name,
                     struct rd_str arguments);

/* Of the newest call with this id. RD_EGONE: it is not here (any more). -ENOMEM. */
int history_tool_output(struct history *h, struct rd_str id, struct rd_str output);

size_t history_count(const struct history *h);
struct history_item history_at(const struct history *h, size_t i); /* 0 is the oldest */

/* The newest tool call with this id. False: it is not here. */
bool history_find_tool(const struct history *h, struct rd_str id, struct history_item *out);

#endif
