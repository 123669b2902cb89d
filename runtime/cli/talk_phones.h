/* SPDX-License-Identifier: Apache-2.0 */
/* talk_phones.h - the telephones around a call that is typed: the simulated network has the caller on
 * the line, rings the people the agent transfers to, takes the texts, and asks what Twilio asks.
 * Nothing leaves the machine. Loop's thread only. */
#ifndef CLI_TALK_PHONES_H
#define CLI_TALK_PHONES_H

#include "io/loop.h"
#include "io/tls.h"
#include "sim/scenario.h"

#include <stdbool.h>
#include <stdint.h>

struct talk_phones;

enum talk_question {
    TALK_RINGS,  /* the call comes in */
    TALK_RESUME, /* a <Dial> is over */
    TALK_ACCEPT, /* who was dialled: do they take it? */
    TALK_TEXT    /* somebody texted; needs no answer */
};

struct talk_phones_events {
    /* The form, with what the address says, as a JSON object; answered by talk_phones_answer(). */
    void (*asked)(enum talk_question q, uint64_t number, const char *form, void *arg);
    void (*happened)(const char *json, void *arg); /* as sim/carrier/double.h tells it */
};

struct talk_phones_opts {
    struct loop *loop;
    struct tls_client *tls;
    const char *from, *to;
    const struct scenario
        *scenario; /* borrows; who is at the other telephones. NULL: people who answer */
    const struct talk_phones_events *events;
    void *arg;
};

int talk_phones_start(struct talk_phones **out, const struct talk_phones_opts *o, char *why,
                      size_t cap);
void talk_phones_stop(struct talk_phones *p); /* NULL is fine */

int talk_phones_ring(struct talk_phones *p); /* places the call */

/* A question's answer: a whole document. An unknown number is fine. */
void talk_phones_answer(struct talk_phones *p, uint64_t number, const char *twiml);

bool talk_phones_busy(const struct talk_phones *p); /* texts on their way, people on the phone */
const char *talk_phones_rest_url(const struct talk_phones *p);
const char *talk_phones_resume_url(const struct talk_phones *p);

#endif
