/* SPDX-License-Identifier: Apache-2.0 */
/* twiml_run.h - a TwiML document run verb by verb, as Twilio does: each step says what to do now,
 * and the next is asked for when that is over. Pure. */
#ifndef SIM_CARRIER_TWIML_RUN_H
#define SIM_CARRIER_TWIML_RUN_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum twiml_kind {
    TWIML_STREAM,   /* <Connect><Stream>: url, params; action */
    TWIML_SAY,      /* text, voice, loop */
    TWIML_DIGITS,   /* <Play digits>: text, loop */
    TWIML_PAUSE,    /* seconds */
    TWIML_REDIRECT, /* text: the URL; method */
    TWIML_DIAL,   /* targets; caller_id, seconds to ring, action, method; text: the first target */
    TWIML_GATHER, /* prompts; max_digits, finish, seconds, empty_too, action, method */
    TWIML_HANGUP,
    TWIML_REJECT, /* text: reason */
    TWIML_END,    /* no verb is left: the call ends */
    TWIML_BAD     /* code, text: the network gives up on the call */
};

enum { TWIML_PARAMS_MAX = 32, TWIML_TARGETS_MAX = 10, TWIML_PROMPTS_MAX = 8 };

/* Error and warning codes of Twilio that the doubles report. */
enum twiml_code {
    TWILIO_RETRIEVAL = 11200,
    TWILIO_CONNECTION = 11205,
    TWILIO_NOT_XML = 12100,
    TWILIO_SCHEMA = 12200,
    TWILIO_CONTENT_TYPE = 12300,
    TWILIO_DIAL_NUMBER = 13224,
    TWILIO_STREAM_REFUSED = 31920,
    TWILIO_STREAM_LOST = 31921,
    TWILIO_NOT_WSS = 31922,
    TWILIO_STREAM_PROTOCOL = 31924,
    TWILIO_MEDIA = 31930,
    TWILIO_MEDIA_FULL = 31931,
    TWILIO_TRACK = 31941,
    TWILIO_BINARY = 31950,
    TWILIO_MESSAGE = 31951
};

/* Somebody a <Dial> rings. */
struct twiml_target {
    const char *number;
    const char *url, *method; /* asked before he is put through; NULL: he just is */
    const char *status, *status_method, *events; /* callback; NULL: none, POST, only completed */
};

/* What is said while a <Gather> waits for keys. */
struct twiml_prompt {
    enum twiml_kind kind; /* TWIML_SAY, _PAUSE or _DIGITS */
    const char *text;
    unsigned seconds, loop;
};

/* One step. All strings belong to the document. */
struct twiml_action {
    enum twiml_kind kind;
    const char *verb; /* "Connect", "Say"…; "" for TWIML_END */
    const char *text, *voice;
    const char *url, *action, *method;
    struct {
        const char *name, *value;
    } params[TWIML_PARAMS_MAX];
    size_t n_params;
    struct twiml_target targets[TWIML_TARGETS_MAX];
    size_t n_targets;
    const char *caller_id; /* NULL: the caller's number */
    struct twiml_prompt prompts[TWIML_PROMPTS_MAX];
    size_t n_prompts;
    unsigned max_digits; /* 0: no end but the finish key and silence */
    char finish;         /* '\0': no key ends it */
    bool empty_too;      /* the action is asked although nothing was pressed */
    unsigned seconds, loop;
    int code;
};

/* Something Twilio would put into the debugger and go on. */
typedef void(twiml_warn_fn)(int code, const char *text, void *arg);

struct twiml;

/* RD_EPROTO with the reason in `why`: not well-formed, or the root is no <Response>. -ENOMEM. */
int twiml_read(struct twiml **out, struct rd_str text, twiml_warn_fn *warn, void *arg, char *why,
               size_t cap);
void twiml_free(struct twiml *t);

/* The next verb. After TWIML_REDIRECT, _HANGUP, _REJECT, _END and _BAD nothing follows but
 * TWIML_END. `a` lives until the next call of this function. */
const struct twiml_action *twiml_next(struct twiml *t);

/* `ref` of a document at `base`: absolute, "/path", "name", or "" (the document itself).
 * RD_ETOOBIG. */
int twiml_resolve(char *out, size_t cap, const char *base, const char *ref);

#endif
