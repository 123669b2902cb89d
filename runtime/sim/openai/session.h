/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - one conversation with the OpenAI double: client events in, server events out,
 * in the GA shape and order. No sockets and no clock: time comes with every call, and what is due
 * next is asked for; slow work (listening, speaking) is handed out as jobs. */
#ifndef SIM_OPENAI_SESSION_H
#define SIM_OPENAI_SESSION_H

#include "sim/openai/script.h"
#include "sim/speech/sound.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct openai_session;

/* How it misbehaves; see faults[] in openai_fault.c for the names. */
enum openai_fault {
    FAULT_NONE,
    FAULT_REFUSE,     /* the upgrade is answered with an HTTP status (not the session's matter) */
    FAULT_DROP,       /* the connection breaks after a while */
    FAULT_DROP_FIRST, /* it breaks a while after it was configured, unless it was told of one before */
    FAULT_DROP_ANSWER,    /* it breaks in the middle of an answer; by a reply: in a first session */
    FAULT_CLOSE_1011,     /* closes with 1011 after a while; by a reply: in its middle */
    FAULT_CLOSE_3000,     /* closes with 3000 at once, as for a bad key */
    FAULT_EXPIRE,         /* session_expired and 1001 after a while */
    FAULT_SLOW,           /* session.update takes effect and is answered 2 s late */
    FAULT_STUCK,          /* session.update is never answered */
    FAULT_LATE_DELTAS,    /* audio of a cancelled response keeps coming for a moment */
    FAULT_NULL_FIELDS,    /* null where the documents say object */
    FAULT_NO_METADATA,    /* a response has neither metadata nor a conversation_id */
    FAULT_UNKNOWN_EVENTS, /* event types and fields nobody documented */
    FAULT_SILENT,         /* accepts everything, answers nothing */
    FAULT_QUOTA,          /* insufficient_quota, then closes */
    FAULT_RATE_LIMIT,     /* every response fails with rate_limit_exceeded */
    FAULT_NO_ANSWER,      /* a response begins, and that was all of it; others are not harmed */
    FAULT_LOW_LIMITS,     /* rate limits are told to be nearly used up */
    FAULT_SERVER_ERROR    /* every response fails with server_error */
};

struct openai_misery {
    enum openai_fault fault;
    int status;        /* FAULT_REFUSE */
    uint32_t after_ms; /* "after a while" */
};

/* "drop", "drop-2000ms" (in place of five seconds), "slow-900ms" (in place of two), "401"… RD_ECONFIG when there is none of the
 * name. */
int openai_fault_parse(struct openai_misery *out, const char *name, size_t n);
extern const char *const openai_fault_names[]; /* ends with NULL */

/* Moments at which somebody outside may want a session to break. */
enum openai_moment { MOMENT_NOW, MOMENT_ANSWER, MOMENT_TOOL, MOMENT_DOOR };
enum { OPENAI_GOES_ON = -1 };

struct openai_session_events {
    void (*send)(const char *event, size_t n, void *arg);
    void (*close)(int code, const char *reason, void *arg); /* code 0: break the connection */
    void (*fact)(json_t *fact, void *arg);                  /* something happened; owns */
    /* It is in the middle of an answer, or waits for a tool's result: OPENAI_GOES_ON, or how it
     * breaks (as `close`). NULL: it goes on. */
    int (*moment)(enum openai_moment m, void *arg);

    /* Jobs; answered later by openai_session_heard() and _said() with the same ticket, never from
     * inside. `pcm` is the callee's on success. Negative: the session goes on without. */
    int (*hear)(uint32_t ticket, struct sound pcm, void *arg);
    int (*say)(uint32_t ticket, const char *text, const char *voice, void *arg);
};

struct openai_session_opts {
    const struct openai_script *script; /* borrows */
    const struct openai_session_events *events;
    void *arg;
    const char *model;
    unsigned number; /* makes ids unique */
    int64_t unix_s;  /* now, for expires_at */
    struct openai_misery misery;
};

int openai_session_new(struct openai_session **out, const struct openai_session_opts *o);
void openai_session_free(struct openai_session *s);

void openai_session_start(struct openai_session *s, uint64_t now_ms);
void openai_session_receive(struct openai_session *s, const char *event, size_t n, uint64_t now_ms);
void openai_session_heard(struct openai_session *s, uint32_t ticket, int index, float score,
                          uint64_t now_ms);
/* pcm.n 0: it could not be spoken. Borrowed. */
void openai_session_said(struct openai_session *s, uint32_t ticket, const struct sound *pcm,
                         uint64_t now_ms);

/* When to call openai_session_tick() next; UINT64_MAX: nothing is due. */
uint64_t openai_session_due(const struct openai_session *s);
void openai_session_tick(struct openai_session *s, uint64_t now_ms);

/* Somebody's voice was heard in it, and it is not over. */
bool openai_session_on_call(const struct openai_session *s);
bool openai_session_was_told(const struct openai_session *s); /* of a session before this one */
void openai_session_break(struct openai_session *s, int code, uint64_t now_ms);

/* Messages the API would refuse as wrong, whatever the timing. */
uint64_t openai_session_violations(const struct openai_session *s);

/* The espeak-ng voice that stands for one of the API's. */
const char *openai_voice(const char *name);

#endif
