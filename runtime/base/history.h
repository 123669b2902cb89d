/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - what was said and done in a call so far, for a model that was not there: a new provider
 * session, on this node or another. Bounded; the oldest goes first. Not shared between threads.
 *
 * An item is what the caller said, what was heard of the agent, or one tool call together with what
 * came of it, so that neither is ever told without the other. */
#ifndef BASE_HISTORY_H
#define BASE_HISTORY_H

#include "base/buf.h"
#include "base/str.h"

enum {
    HISTORY_ITEMS = 200,
    HISTORY_BYTES = 64 * 1024,     /* of all words together */
    HISTORY_TEXT_MAX = 16 * 1024,  /* of one; what is longer is cut */
    HISTORY_JSON_MAX = 512 * 1024, /* larger than any of ours, every character escaped */
};

enum history_kind { HISTORY_CALLER, HISTORY_AGENT, HISTORY_TOOL };

enum history_outcome {
    HISTORY_RUNNING, /* the tool has not answered yet */
    HISTORY_KNOWN,   /* output is what it answered */
    HISTORY_UNKNOWN, /* whoever ran it is gone: it may have happened, or not */
};

struct history;

/* Borrowed from the history until it changes. */
struct history_item {
    enum history_kind kind;
    struct rd_str text; /* what was said; of a tool its arguments, as the model wrote them */
    struct rd_str id, name, output; /* HISTORY_TOOL only */
    enum history_outcome outcome;   /* HISTORY_TOOL only */
};

struct history *history_new(void); /* NULL: no memory */
void history_free(struct history *h);

/* Copies. Nothing is added for words that are empty. -ENOMEM. */
int history_add_turn(struct history *h, enum history_kind who, struct rd_str text);

/* A tool was called: HISTORY_RUNNING until its output is told. -ENOMEM. */
int history_add_tool(struct history *h, struct rd_str id, struct rd_str name,
                     struct rd_str arguments);

/* Of the newest call with this id. RD_EGONE: it is not here (any more). -ENOMEM. */
int history_tool_output(struct history *h, struct rd_str id, struct rd_str output);

/* Whoever ran tools is gone: what is running has an unknown outcome. */
void history_forget_running(struct history *h);

size_t history_count(const struct history *h);
struct history_item history_at(const struct history *h, size_t i); /* 0 is the oldest */

/* The newest tool call with this id. False: it is not here. */
bool history_find_tool(const struct history *h, struct rd_str id, struct history_item *out);

/* [{"role":"caller"|"agent","text":…},{"tool":name,"id":…,"arguments":…,"output":…|null}]; all values
 * are strings. null: the outcome is not known. 0, -ENOMEM, RD_EFULL. */
int history_write_json(const struct history *h, struct buf *out);

/* Reads the same, from outside: bounded like everything added; members it does not know are passed
 * over. What has no output counts as HISTORY_UNKNOWN. RD_EPROTO: it is something else; RD_ETOOBIG;
 * -ENOMEM. *out is the caller's to free, and NULL after an error. */
int history_read_json(struct history **out, struct rd_str json);

#endif
