/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - what an error of the Realtime API means for the leg, and what the operator can do
 * about it. Pure; any thread. */
#ifndef PROVIDERS_OPENAI_VERDICT_H
#define PROVIDERS_OPENAI_VERDICT_H

#include "base/str.h"
#include "io/ws.h"
#include "ports/provider.h"

#include <stdbool.h>

/* An `error` object as OpenAI writes it. Borrows; each may be empty. */
struct openai_error {
    struct rd_str type, code, message, param;
    struct rd_str event_id; /* ours, that it answers */
};

enum verdict_kind {
    VERDICT_OTHER,  /* an error of one event; the session goes on */
    VERDICT_BUSY,   /* a response was already running */
    VERDICT_BENIGN, /* too late or nothing to do: counted */
    VERDICT_LIMIT,  /* too many requests or tokens: fatal while connecting, not during a call */
    VERDICT_LOST,   /* OpenAI or the network failed: worth another try */
    VERDICT_FATAL,  /* refused: trying again changes nothing */
};

struct verdict {
    enum verdict_kind kind;
    enum leg_end end;   /* how the leg ends, if it ends by this */
    char code[64];      /* short name for logs and provider_error; never empty */
    const char *fix;    /* NULL when the operator can do nothing */
    bool quiet_message; /* the message repeats part of a key: not for the log */
};

/* An error event. `setup`: it came before session.updated. */
struct verdict verdict_of_error(const struct openai_error *e, bool setup);

/* The error of a failed response. */
struct verdict verdict_of_response(struct rd_str code, struct rd_str type);

/* A connection that ended by itself. `message` points into c->reason. */
struct verdict verdict_of_closed(const struct ws_closed *c, struct rd_str *message);

#endif
