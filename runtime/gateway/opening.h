/* SPDX-License-Identifier: Apache-2.0 */
/* opening.h - a webhook that waits for its script, and then an offer that waits for its stream. The
 * common part of what voice.c and resume.c answer. Media thread only; for gateway/ only.
 *
 *   opening_new ──▶ asks the script ──▶ offered: TwiML with a stream ──▶ the stream came, or gave up
 *                        └─────────▶ answered: any other document, the fallback too ──▶ freed
 */
#ifndef GATEWAY_OPENING_H
#define GATEWAY_OPENING_H

#include "gateway/media_thread.h"

struct adopting;
struct vapi_wait;

struct opening {
    struct opening *next;
    struct media_thread *thread;
    struct loop_timer *timer;
    struct http_request *request; /* borrows; NULL once answered or gone */
    uint64_t number, began_us;
    uint64_t nonce; /* of the address that was handed out */
    call_handle call;
    struct agent_set *agents; /* refs; keeps `agent` alive */
    const struct agent_info *agent;
    void (*late)(struct opening *o); /* the script is: `request` must be answered */
    bool vapi_full;                  /* route.c: Vapi said that it takes no more calls */
    char *form;   /* owns; what the script was asked, where it may be asked again */
    bool ringing; /* voice.c: nobody has answered yet, so that Vapi can take the call */
    /* resume.c: the call was there before, so that a carrier who leaves may ask again. */
    bool again;
    char sid[DIRECTORY_SID];    /* accept.c: the carrier's id of a call that is not here */
    bool screening;             /* somebody who was dialled waits, not the caller */
    struct errand_place errand; /* who is asked, where there is no call; `call` is 0 */
    bool answered;              /* the <Dial> that is over was */
    char *asks; /* owns; what the script will be asked; NULL once it was. voice.c: the form */
    uint64_t until_ms;         /* it must be answered by then */
    struct adopting *adopting; /* owns; adopt.h: a call that another node had; NULL: it is ours */
    struct vapi_wait
        *vapi; /* owns; vapi/hooks.h: not the carrier waits, but Vapi; NULL: it does not */
};

/* Waits for the script for so long; refs the set. NULL: no memory. */
struct opening *opening_new(struct media_thread *t, struct http_request *r, call_handle call,
                            uint64_t wait_ms, void (*late)(struct opening *o));
void opening_set_agent(struct opening *o, struct agent_set *set, const struct agent_info *agent);
void opening_free(struct opening *o);

/* Whose answer this is; NULL when it has been answered or has left. */
struct opening *opening_waiting(struct media_thread *t, uint64_t number);

/* Twilio left before the answer. */
void opening_gone(struct http_request *r);

/* The node ends: who waits gets the fallback, what was offered is taken back, scripts are told. */
void opening_end_all(struct media_thread *t);

/* Who waits, for whoever answers by himself; then nobody waits any more. */
struct http_request *opening_answered(struct opening *o);

/* Each answers who waits. The first frees nothing: it waits for the stream; the others leave `o` to
 * its caller. `brief` NULL: the one that was offered before. */
void opening_offer(struct opening *o, struct brief *brief);
void opening_reply(struct opening *o, struct rd_str xml);
void opening_fallback(struct opening *o, const char *why, const char *fix);

/* The call will not come, or not come back: its slot is given back, the script is told, o is freed. */
void opening_give_up(struct opening *o, const char *why);

#endif
