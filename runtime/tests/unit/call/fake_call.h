/* SPDX-License-Identifier: Apache-2.0 */
/* fake_call.h - a call with a fake carrier, a fake provider, a fake script and a clock we own. What
 * the core sends is written down; what it should hear is told by functions named after what
 * happens. */
#ifndef TESTS_FAKE_CALL_H
#define TESTS_FAKE_CALL_H

#include "call/call.h"
#include "call/call_internal.h"

#include <stdbool.h>
#include <stdint.h>

enum { FAKE_LOG = 16384, FAKE_MARKS = 512 };

struct fake {
    struct call *call; /* NULL once ended */
    uint64_t now_us;
    uint64_t timer_ms;
    char log[FAKE_LOG]; /* one word per thing that happened, separated by spaces */
    size_t n_log;
    struct carrier_mark marks[FAKE_MARKS]; /* sent, not yet echoed */
    uint32_t n_marks;
    uint64_t to_carrier_bytes, to_provider_bytes;
    uint64_t kept_caller_bytes, kept_agent_bytes; /* what the tap was told */
    bool provider_hears_silence;                  /* the newest span was nothing else */
    char last_text[2048]; /* of the last tool result, prompt or record with words */
    char turns[4096];     /* "caller: words|agent: words|" in the order they came out */
    char last_key[4];     /* that the script was told */
    char notice[256];     /* its wording, once it was recorded */
    uint32_t truncated_at_ms;
    uint32_t asked_tag, aside_tag; /* of the newest prompts */
    struct call_totals totals;     /* of the end */
    struct turn_wait wait;         /* of the newest turn that has one */
    char billed_item[TURN_ID];     /* of the newest usage */
    double billed_seconds;         /* of all usage */
    int agent_rc;                  /* what the script's mailbox answers */
    bool legs_close_at_once;
    bool no_more_legs;                  /* none can be opened */
    bool failed_over;                   /* what is opened now is of the other provider */
    unsigned sessions;                  /* opened behind the first */
    const struct provider_events *next; /* of the newest leg */
    char told[4096]; /* what the newest session was told of the past: "caller: words|…" */
};

/* Adds a word to the log. */
__attribute__((format(printf, 2, 3))) void fake_note(struct fake *f, const char *fmt, ...);

void fake_start(struct fake *f, struct brief *brief);
void fake_start_live(struct fake *f, struct brief *brief); /* provider ready, opening begun */
void fake_can_reopen(struct fake *f);    /* a lost session is followed by another */
void fake_can_fail_over(struct fake *f); /* once, to the other provider */
void fake_next_ready(struct fake *f);
void fake_next_expires(struct fake *f, uint64_t in_ms);
void fake_stop(struct fake *f); /* ends the call if it is not over */
struct brief fake_brief(void);

bool fake_did(const struct fake *f, const char *word); /* is in the log */
unsigned fake_times(const struct fake *f, const char *word);
bool fake_before(const struct fake *f, const char *first, const char *second);
void fake_forget(struct fake *f); /* empties the log */

void fake_pass(struct fake *f, uint64_t ms); /* time passes; timers fire */
void fake_caller_frame(struct fake *f, uint32_t at_ms);
void fake_caller_starts(struct fake *f);
void fake_caller_stops(struct fake *f);
void fake_caller_said(struct fake *f, const char *item, const char *previous, const char *words);
void fake_response_starts(struct fake *f,
                          const char *id); /* answers what was asked last, if anything was */
void fake_own_turn_starts(struct fake *f,
                          const char *id); /* the provider's own turn detection began it */
void fake_aside_starts(struct fake *f, const char *id);
void fake_response_ends(struct fake *f, const char *id, enum provider_response_state s);
void fake_limited(struct fake *f, const char *id); /* it failed for a rate limit */
void fake_aside_ends(struct fake *f, const char *id);
void fake_item(struct fake *f, const char *item, const char *previous, enum provider_role role);
void fake_agent_audio(struct fake *f, const char *response, const char *item, uint32_t ms);
void fake_agent_audio_done(struct fake *f, const char *response, const char *item);
void fake_agent_words(struct fake *f, const char *item, const char *words, bool final);
void fake_tool_call(struct fake *f, const char *id, const char *name, const char *arguments);
void fake_marks_return(struct fake *f, uint32_t n); /* the oldest n marks come back */
void fake_carrier_ends(struct fake *f, enum leg_end why);
void fake_provider_ends(struct fake *f, enum leg_end why);
void fake_error(struct fake *f, const char *code, bool busy, bool benign, bool fatal);
void fake_refused(struct fake *f, uint32_t tag, bool busy); /* an error that answers this prompt */

/* The opening was generated, played and heard; the caller's turn. */
void fake_greet(struct fake *f, struct brief *brief);
void fake_caller_asks(struct fake *f, const char *item, const char *previous, const char *words);

/* base64 of n µ-law bytes of silence-like 0x7F, static. n <= 16000. */
struct audio_span fake_span(uint32_t n_bytes);

extern const struct carrier_ops fake_carrier;
extern const struct provider_ops fake_provider;
extern const struct provider_ops
    fake_other; /* speaks when it likes, starts slowly, is not resumed */

#endif
