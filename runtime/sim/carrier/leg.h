/* SPDX-License-Identifier: Apache-2.0 */
/* leg.h - a telephone that the network rings: for a <Dial>, or because REST created a call. Who is
 * there, the scenario says (`people`).
 *
 *   QUEUED --> RINGING --answers--> TALKING to a document --accepts--> THROUGH --hangs up--> OVER
 *                 \__ busy, no answer, failed, cancelled _\__ declines _____________________^
 *
 * Loop's thread. Legs stay until the double stops, or many newer ones came: REST still knows them. */
#ifndef SIM_CARRIER_LEG_H
#define SIM_CARRIER_LEG_H

#include "sim/carrier/call.h"
#include "sim/carrier/gather.h"
#include "sim/carrier/send.h"

enum { LEGS_MAX = 500 };

enum leg_state { LEG_QUEUED, LEG_RINGING, LEG_TALKING, LEG_THROUGH, LEG_OVER };

struct carrier_leg {
    struct carrier_double *d; /* borrows */
    struct carrier_leg *next;
    enum leg_state state;
    bool held;          /* somebody points to it */
    bool deleted;       /* REST knows it no more */
    const char *status; /* as REST names it; static */
    char sid[CARRIER_SID_BYTES], parent_sid[CARRIER_SID_BYTES], from[64], to[64], scenario[64];
    uint64_t since_ms, answered_ms, ended_ms;
    int64_t placed_unix, answered_unix, ended_unix;

    const struct scenario_person *person; /* borrows, until it is over */
    unsigned timeout_ms;
    struct loop_timer *timer, *key; /* what happens next; the next key is pressed */

    char *twiml, *status_url, *events; /* own; twiml: run at the answer instead of `url` */
    char url[CARRIER_URL_MAX];         /* "": nothing is asked at the answer */
    const char *method;
    unsigned n_told; /* status callbacks */
    struct http_call *request;
    struct twiml *doc;
    unsigned n_docs;
    struct gather gather;
    size_t n_pressed;

    void (*on_accept)(struct carrier_leg *l, void *arg); /* NULL: it ends after its document */
    void (*on_end)(struct carrier_leg *l, void *arg);
    void *arg;
};

struct carrier_leg_opts {
    const char *from, *to, *parent_sid, *scenario;
    uint64_t since_ms;                    /* what t_ms of its events counts from */
    const struct scenario_person *person; /* must outlive the call */
    unsigned timeout_ms;
    const char *url, *method, *twiml, *status_url, *events; /* copied; NULL: none */
    void (*on_accept)(struct carrier_leg *l, void *arg);
    void (*on_end)(struct carrier_leg *l, void *arg);
    void *arg;
};

/* It rings from the next turn of the loop on: no callback before that. */
int carrier_leg_dial(struct carrier_leg **out, struct carrier_double *d,
                     const struct carrier_leg_opts *o);

/* He took it: until he has talked enough. */
void carrier_leg_through(struct carrier_leg *l);

/* The network ends it: cancelled while it rings, else completed. on_end is called. */
void carrier_leg_end(struct carrier_leg *l);
void carrier_leg_forget(struct carrier_leg *l); /* the same, and nobody is told but the callback */

/* What REST asked for: another document from now on. */
void carrier_leg_update(struct carrier_leg *l, const struct carrier_update *u);

/* Seconds from the answer to the end, begun ones counted; 0: not answered. */
unsigned carrier_leg_seconds(const struct carrier_leg *l);
bool carrier_leg_was_answered(const struct carrier_leg *l);
bool carrier_legs_busy(const struct carrier_double *d); /* one of them still rings or talks */
void carrier_legs_free(struct carrier_double *d);

/* leg.c for leg_run.c, and the other way round */
void carrier_leg_tell(struct carrier_leg *l, const char *event, json_t *fields);
void carrier_leg_over(struct carrier_leg *l, const char *status);
void carrier_leg_next_verb(struct carrier_leg *l);
void carrier_leg_fetch(struct carrier_leg *l, const char *url, const char *method);
void carrier_leg_run(struct carrier_leg *l, struct rd_str twiml);
void carrier_leg_run_stop(struct carrier_leg *l);
void carrier_leg_on_key(void *arg);

#endif
