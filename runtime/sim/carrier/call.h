/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - one simulated call, shared by the files of the carrier double only:
 * call.c its life, verbs.c what TwiML makes of it, dial.c whom it rings, fetch.c its requests,
 * judge.c what its scenario thinks of it, rest.c who changes it from outside. */
#ifndef SIM_CARRIER_CALL_H
#define SIM_CARRIER_CALL_H

#include "io/http_client.h"
#include "sim/carrier/double.h"
#include "sim/carrier/fault.h"
#include "sim/carrier/form.h"
#include "sim/carrier/gather.h"
#include "sim/carrier/line.h"
#include "sim/carrier/numbers.h"
#include "sim/carrier/send.h"
#include "sim/carrier/stream.h"
#include "sim/carrier/twiml_run.h"

#include <jansson.h>
#include <stdbool.h>

enum {
    CARRIER_SID_BYTES = 35,
    CARRIER_URL_MAX = 2048,
    CARRIER_PAST_CALLS = 64,
    CARRIER_OPT_OUTS_MAX = 200
};

/*   PREPARING --sounds spoken--> RINGING --first TwiML--> UP --any end--> ENDING --told, judged-->
 * gone
 *                                    \________ error, gives up __________^ */
enum carrier_state { CARRIER_PREPARING, CARRIER_RINGING, CARRIER_UP, CARRIER_ENDING };

/* What REST asked for, until it takes effect. */
struct carrier_update {
    bool pending, hang_up;
    char *twiml, *url, *method; /* own */
};

struct carrier_dial;
struct carrier_job;
struct carrier_leg;
struct carrier_text;

struct carrier_call {
    struct carrier_double *d; /* borrows */
    struct carrier_call *next;
    const struct scenario *scenario; /* borrows */
    char from[64], to[64], *wav;
    char sid[CARRIER_SID_BYTES], stream_sid[CARRIER_SID_BYTES];
    carrier_report_fn *done;
    void *arg;

    enum carrier_state state;
    uint64_t placed_ms, answered_ms, ended_ms;
    int64_t placed_unix, ended_unix;

    struct sound *sounds; /* own; one per step */
    struct line *line;    /* owns */
    struct loop_timer *tick, *pause, *update_timer, *bury;
    uint64_t next_tick_ms, fetch_began_ms;

    struct twiml *doc; /* owns; the document that runs */
    unsigned n_docs, n_streams;
    char doc_url[CARRIER_URL_MAX];
    struct carrier_stream *stream;    /* owns until carrier_stream_end() */
    char action[CARRIER_URL_MAX];     /* of the <Connect> that streams; "" none */
    const struct twiml_action *opens; /* borrows of doc; a stream that is about to; NULL: none */
    bool saying;
    struct http_call *request; /* the document that is being fetched, or the status callback */
    char fetching[CARRIER_URL_MAX];
    const char *fetch_method; /* static */
    bool fetching_fallback, fell_back, retried;
    char token[CARRIER_SID_BYTES]; /* idempotency: the same for a retry */
    void (*on_status_told)(struct carrier_call *c);
    struct carrier_update update;
    struct carrier_job *job; /* the work in progress that will want this call */

    bool said, refusal_told;
    bool dialled; /* somebody took a <Dial> */
    struct carrier_dial
        *dial; /* owns; the one that runs, and until its action's document is there */
    struct gather gather;
    uint64_t speech_began_ms; /* the caller's latest; 0: none */
    char error[160];          /* the first one */
    struct call_report report;
};

struct carrier_past {
    char sid[CARRIER_SID_BYTES], from[64], to[64];
    bool deleted;                    /* REST knows it no more */
    const struct scenario *scenario; /* borrows */
    uint64_t placed_ms;
    int64_t placed_unix, ended_unix;
    uint64_t duration_s;
};

struct carrier_double {
    struct loop *loop;
    struct tls_client *tls;                                  /* borrows */
    char *node_url, *fallback_url, *reach, *account, *token; /* own; reach NULL: by the name */
    const char *trial, *system;                              /* static; NULL: none */
    bool fenced;
    carrier_event_fn *on_event;
    void *event_arg;
    struct http_client *http;
    struct carrier_call *calls;
    struct carrier_past past[CARRIER_PAST_CALLS]; /* a ring, for REST */
    size_t n_past;
    struct carrier_rest *rest; /* owns; NULL: not served */
    struct rest_faults faults;
    struct carrier_leg *legs;    /* own; newest first */
    struct carrier_posts *posts; /* own */
    struct carrier_text *texts;  /* own; newest first */
    struct carrier_opt_out {
        char who[64], from[64];
    } opt_outs[CARRIER_OPT_OUTS_MAX];
    size_t n_opt_outs;
    const struct scenario *const *scenarios; /* borrows: who is at the telephones */
    size_t n_scenarios;
    uint64_t began_ms;
    int64_t since_unix;
    struct carrier_numbers numbers; /* own */
};

/* call.c */
int carrier_sid(char out[CARRIER_SID_BYTES], const char *prefix);
void carrier_call_end(struct carrier_call *c, const char *by);
void carrier_call_answer(struct carrier_call *c);
void carrier_call_free(struct carrier_call *c);

struct carrier_who carrier_call_who(const struct carrier_call *c, const char *status);

/* What happened, to whoever watches. Takes `fields` (may be NULL). */
void carrier_tell(struct carrier_call *c, const char *event, json_t *fields);
void carrier_event(struct carrier_double *d, const struct carrier_who *about, const char *event,
                   json_t *fields);

/* Twilio's debugger: an error of the other side, and something it should not have sent. */
void carrier_error(struct carrier_call *c, int code, const char *why);
void carrier_violation(struct carrier_call *c, int code, const char *why);

/* verbs.c */
void carrier_run(struct carrier_call *c, struct rd_str twiml, const char *url);
void carrier_next_verb(struct carrier_call *c);
void carrier_verb_stop(struct carrier_call *c); /* whatever is going on: stream, speech, pause */
void carrier_pause_over(struct carrier_call *c);
void carrier_lose_stream(struct carrier_call *c, bool stops); /* stops: orderly, with `stop` */
void carrier_digit(struct carrier_call *c, char digit);
void carrier_after_tick(struct carrier_call *c);
void carrier_on_mark(const char *name, void *arg);

/* fetch.c */
void carrier_fetch(struct carrier_call *c, const char *url, const char *method);
void carrier_fallback(struct carrier_call *c, int code, const char *why);
void carrier_status(struct carrier_call *c, void (*done)(struct carrier_call *c));

/* work.c: what blocks, on a helper thread. `done` is not called once the call is free. */
int carrier_prepare(struct carrier_call *c, void (*done)(struct carrier_call *c, int err));
int carrier_speak(struct carrier_call *c, const char *text, unsigned loop,
                  void (*done)(struct carrier_call *c, const struct sound *s));
int carrier_judge(struct carrier_call *c, void (*done)(struct carrier_call *c));
void carrier_job_forget(struct carrier_call *c);

/* rest.c */
struct carrier_rest;
int carrier_rest_start(struct carrier_rest **out, struct carrier_double *d, const char *listen,
                       char *why, size_t cap);
void carrier_rest_stop(struct carrier_rest *r);
uint16_t carrier_rest_port(const struct carrier_rest *r);
void carrier_update_fini(struct carrier_update *u);

#endif
