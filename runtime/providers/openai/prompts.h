/* SPDX-License-Identifier: Apache-2.0 */
/* prompts.h - which response answers which prompt. Pure; loop's thread only. */
#ifndef PROVIDERS_OPENAI_PROMPTS_H
#define PROVIDERS_OPENAI_PROMPTS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROMPTS_ASKED = 16, PROMPTS_RUNNING = 16 };

struct prompt {
    uint32_t tag; /* 0: nobody asked for it */
    bool aside;   /* beside the conversation */
};

struct running {
    uint64_t id_hash; /* of the response; 0: free */
    struct prompt prompt;
};

struct prompts {
    struct prompt asked[PROMPTS_ASKED]; /* not yet answered, the oldest first */
    unsigned n_asked;
    struct running running[PROMPTS_RUNNING];
    unsigned next_running;
    bool echoed; /* this server gives tags back: from now on only they count */
};

/* What a server says of a response. */
struct prompt_echo {
    struct rd_str response_id;
    uint32_t tag;         /* of its metadata; 0: none */
    bool no_conversation; /* conversation_id is null or absent */
};

/* FNV-1a, never 0. */
uint64_t prompts_hash(struct rd_str id);

/* A response was asked for. When there are more than PROMPTS_ASKED the oldest is forgotten. */
void prompts_asked(struct prompts *p, struct prompt asked);

/* An error answered it: no response will, and one that was taken for its answer was none. */
void prompts_refused(struct prompts *p, uint32_t tag);

/* The prompt that a response answers. */
struct prompt prompts_started(struct prompts *p, const struct prompt_echo *e);
struct prompt prompts_done(struct prompts *p, const struct prompt_echo *e);

#endif
