/* SPDX-License-Identifier: Apache-2.0 */
/* texts.h - the text messages of the simulated network: what REST sends to a telephone, what a telephone
 * sends to the node, what becomes of each, and who has said STOP. Loop's thread. */
#ifndef SIM_CARRIER_TEXTS_H
#define SIM_CARRIER_TEXTS_H

#include "sim/carrier/call.h"

enum { TEXTS_MAX = 1000, TEXT_BODY_MAX = 1600 };

struct carrier_text {
    struct carrier_double *d; /* borrows */
    struct carrier_text *next;
    char sid[CARRIER_SID_BYTES], service[CARRIER_SID_BYTES]; /* service "": none */
    char from[64], to[64], scenario[64];
    char *body, *callback; /* own; callback NULL: none */
    const char *direction, *status;
    int fate;  /* 0: it arrives; else Twilio's error code */
    int error; /* told so far; 0: none */
    unsigned segments;
    bool deleted; /* REST knows it no more */
    enum scenario_callbacks callbacks;
    int64_t created_unix, sent_unix, updated_unix;
    struct loop_timer *timer;
    unsigned step;
    struct http_call *request; /* inbound: the webhook */
};

/* Parts as they are billed: GSM-7 160, then 153 each; anything else as UCS-2 70, then 67. */
unsigned text_segments(const char *body);
size_t text_characters(const char *body);

struct text_opts {
    const char *from, *to, *service, *body, *callback; /* copied; service, callback NULL: none */
    const char *direction;                             /* static */
};

/* On its way to a telephone. */
int carrier_text_send(struct carrier_text **out, struct carrier_double *d,
                      const struct text_opts *o);

/* A telephone texts one of the numbers, after a while. `scenario`: whose it is, when nobody in `people`. */
int carrier_text_receive(struct carrier_double *d, const char *scenario, const char *from,
                         const char *to, const char *body, unsigned after_ms);

/* Who has said STOP to a number; NULL: has not. */
struct carrier_opt_out *carrier_opt_out(struct carrier_double *d, const char *who,
                                        const char *from);
bool carrier_text_opted_out(struct carrier_double *d, const char *who, const char *from);
bool carrier_texts_busy(const struct carrier_double *d); /* something is still to happen */
void carrier_texts_free(struct carrier_double *d);

/* Who is at that number, by the scenarios of the calls in progress, then by all. */
const struct scenario_person *carrier_person(const struct carrier_double *d, const char *number,
                                             const char **scenario);

/* texts.c for texts_in.c: a text that is in the list, and what is told about it (takes fields) */
int carrier_text_new(struct carrier_text **out, struct carrier_double *d, const struct text_opts *o,
                     loop_timer_cb *on_timer);
void carrier_text_tell(const struct carrier_text *t, const char *event, json_t *fields);

#endif
