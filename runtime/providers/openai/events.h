/* SPDX-License-Identifier: Apache-2.0 */
/* events.h - reads the server events of the Realtime API and tells them to the call core. Parsed in
 * place: audio, transcripts and speech events cost no allocation. Loop's thread only.
 *
 * Fuzzed by tests/fuzz/fuzz_openai.c. */
#ifndef PROVIDERS_OPENAI_EVENTS_H
#define PROVIDERS_OPENAI_EVENTS_H

#include "base/buf.h"
#include "ports/provider.h"
#include "providers/openai/fields.h"
#include "providers/openai/openai.h"
#include "providers/openai/pcm.h"
#include "providers/openai/prompts.h"
#include "providers/openai/verdict.h"

#include <stdbool.h>
#include <stdint.h>

enum { EVENTS_TOOLS = 8, EVENTS_PLACED = 16, EVENTS_TEXT_MAX = 256 * 1024, EVENTS_PREFIX = 12 };

/* Which id is told at the same time as which others. */
enum id_slot { ID_RESPONSE, ID_ITEM, ID_PREVIOUS, ID_CALL, ID_SLOTS };

/* What concerns the session itself. */
struct events_owner {
    void (*on_session)(void *arg, bool updated, struct rd_str id, uint64_t expires_unix_s);
    void (*on_error)(void *arg, const struct openai_error *e);
    /* The account's, not the call's: told even when no call listens. */
    void (*on_limits)(void *arg, const struct provider_limits *l);
    /* A response failed with this code; comes after on_response. */
    void (*on_failed)(void *arg, const struct openai_error *e);
};

/* A function call that was announced: `arguments.done` may leave out its name. */
struct announced_tool {
    char item_id[FIELD_ID_CHARS + 1];
    char call_id[FIELD_ID_CHARS + 1];
    char name[FIELD_ID_CHARS + 1];
};

struct events {
    const struct provider_events *up; /* borrows; NULL: nobody listens (warm, closing) */
    void *up_arg;
    const struct events_owner *owner; /* borrows */
    void *owner_arg;
    struct openai_counts *counts; /* borrows */
    struct openai_pcm *pcm;       /* borrows; NULL: the model speaks µ-law */
    char
        prefix[EVENTS_PREFIX]; /* in front of every id that is told; "" in a call's first session */
    char ids[ID_SLOTS][EVENTS_PREFIX + FIELD_ID_CHARS + 1]; /* this event's, with the prefix */
    struct buf text[2]; /* owns: strings with their escapes resolved, this event's */
    struct announced_tool tools[EVENTS_TOOLS];
    unsigned next_tool;
    uint64_t placed[EVENTS_PLACED]; /* hashes of the last items told by on_placed */
    unsigned next_placed;
    struct prompts prompts; /* the leg tells what it asks for */
    const char *call;       /* borrows; for the log; NULL: of none */
    bool said_unknown;      /* the first unknown type was logged */
};

/* Room for a usual transcript delta is taken here. -ENOMEM. */
int events_init(struct events *e, const struct events_owner *owner, void *owner_arg,
                struct openai_counts *counts);
void events_fini(struct events *e);

/* The ids of another session of the same call are other ids: number 0 for the first. */
void events_number(struct events *e, unsigned number);

/* The provider's own id again. False: it is of another session. */
bool events_own_id(const struct events *e, struct rd_str told, struct rd_str *own);

/* One message. 0; RD_EPROTO when it is no event at all (counted, nothing was told). Whoever is told
 * may set `up` to NULL: then nothing more comes of this message. */
int events_feed(struct events *e, struct rd_str message);

#endif
