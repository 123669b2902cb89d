/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - what the files of the double share: double.c (listening, requests), rest.c (answers), calls.c,
 * numbers.c and assistants.c (resources), inbound.c (Twilio's fetches), call.c and picture.c (a call, and
 * how it is shown), line.c and voice.c (its audio), order.c (what it is told), hook.c (server messages), control.c. Loop's thread. */
#ifndef SIM_VAPI_PRIVATE_H
#define SIM_VAPI_PRIVATE_H

#include "io/http_client.h"
#include "io/http_server.h"
#include "sim/carrier/form.h"
#include "sim/openai/ears.h"
#include "sim/openai/script.h"
#include "sim/vapi/fault.h"
#include "sim/vapi/sign.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define VAPI_JSON (JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12))

enum { VAPI_ID = 37, VAPI_URL_MAX = 512, VAPI_SAYINGS_MAX = 16 };

struct vapi_hook;
struct vapi_later;
struct vapi_line;

struct vapi_double {
    struct loop *loop;            /* borrows */
    struct listener *listener;    /* owns; NULL once stopped */
    struct http_client *http;     /* owns */
    struct openai_script *script; /* owns */
    char origin[64];              /* "127.0.0.1:9103" */
    struct vapi_faults faults;
    struct vapi_sign sign;
    json_t *server;                        /* owns; of the account: {url, …}, or {} */
    json_t *assistants, *numbers, *hooked; /* own; arrays; `hooked`: what was posted and answered */
    struct vapi_call *calls;               /* own; newest first */
    struct vapi_hook *hooks;               /* own; on their way */
    struct vapi_hook *held;                /* of these: waits for the next to go first */
    struct vapi_later *later;              /* own themselves; requests that wait for their answer */
    FILE *log;                             /* owns; NULL: none */
    unsigned jobs;                         /* on helper threads */
    bool stopped;
};

/* What is said next. */
struct vapi_saying {
    char *text; /* owns */
    bool last;  /* and the call is over then */
};

struct vapi_call {
    struct vapi_call *next;
    struct vapi_double *d;
    char id[VAPI_ID];
    const char *type;          /* as the API calls it */
    const char *status;        /* one of the API's words */
    char ended_reason[96];     /* "": not over */
    char sid[40], account[40]; /* Twilio's; "": none */
    char forwarded_from[32];
    json_t *request;   /* owns; assistantId, customer, name, …: as asked for */
    json_t *number;    /* owns a reference; the imported number; NULL: none */
    json_t *assistant; /* owns; overrides applied; NULL: not known yet */
    int64_t created_ms, started_ms, ended_ms, updated_ms; /* unix; 0: not yet */
    bool bypass, deleted;
    struct vapi_later *fetch; /* borrows; Twilio waits for the assistant */

    /* line.c */
    struct vapi_line *line, *listener; /* own themselves */

    /* voice.c */
    struct ears *ears;        /* owns */
    struct loop_timer *clock; /* owns */
    struct openai_cue cue;
    struct vapi_saying sayings[VAPI_SAYINGS_MAX];
    size_t n_sayings;
    bool making;     /* the first of the sayings is made into sound */
    uint8_t *speech; /* owns; µ-law; NULL: silent */
    size_t n_speech, sent;
    uint64_t speech_ms;                 /* since when; monotonic */
    uint64_t heard_from_ms;             /* the caller's speech, in the time of the audio */
    int64_t said_from_ms;               /* unix */
    const struct scenario_reply *asked; /* a tool whose result the client will tell */
    bool deaf, mute;                    /* controls: the customer, the assistant */
    unsigned turn;

    /* what artifact and costs are made of */
    json_t *messages, *latencies; /* own; arrays */
    unsigned interrupted, prompt_tokens, completion_tokens, characters;
};

/* ---- double.c ---- */

/* A line of the log. Takes fact; NULL is fine. */
void vapi_note(struct vapi_double *d, const char *ev, json_t *fact);
void vapi_double_free_if_over(struct vapi_double *d);

/* ---- rest.c ---- */

/* A request, to be answered by exactly one of the verbs below. */
struct vapi_ask {
    struct vapi_double *d;
    struct http_request *r;
    const char *method;
    char id[64];               /* of the resource; "": the list */
    char below[32];            /* what follows the id; "": nothing */
    json_t *body;              /* owns; of writes: an object */
    struct carrier_form query; /* or the form that Twilio posts */
    enum vapi_fault fault;     /* what happens to the answer */
};

void vapi_request(struct vapi_double *d, struct http_request *r);
void vapi_answer(struct vapi_ask *a, int status, json_t *tree); /* takes tree */
void vapi_answer_twiml(struct vapi_ask *a, const char *twiml);

/* {"message": …, "error": …, "statusCode": …}; takes message: a string or an array. */
void vapi_refuse(struct vapi_ask *a, int status, json_t *message);
void vapi_not_found(struct vapi_ask *a, const char *what);
bool vapi_is_key(const struct http_request *r, const char *key);

/* A request whose answer comes later, once. NULL: no memory, and it is hung up. Whoever asked may leave. */
struct vapi_later *vapi_later(struct vapi_ask *a);
void vapi_later_answer(struct vapi_later *l, int status, const char *type, const char *text);
void vapi_later_gone(struct http_request *r);
void vapi_later_stop(struct vapi_double *d); /* forgets them all */

/* True: answered, with what is wrong. `changes`: nothing is required but a body. */
bool vapi_checked(struct vapi_ask *a, json_t *complaints); /* takes complaints */

/* A resource of a list, as far as a page asks for it. Borrows. */
struct vapi_entry {
    const char *id, *assistant_id, *number_id; /* "": none */
    int64_t created_ms, updated_ms;
    json_t *(*show)(const void *what);
    const void *what;
};

/* One page of the entries (newest first), as limit, createdAt…, updatedAt… say. */
void vapi_page(struct vapi_ask *a, const struct vapi_entry *entries, size_t n);

void vapi_stamp(json_t *resource, bool created);                     /* orgId and times */
void vapi_id(char out[VAPI_ID]);                                     /* a new UUID */
json_t *vapi_iso(int64_t unix_ms);                                   /* 0: NULL */
json_t *vapi_find(json_t *list, const char *key, const char *value); /* borrowed */
const char *vapi_text(const json_t *object, const char *key);        /* "": absent */

/* Of any list of resources: newest first; one changed field by field (null unsets); one removed. */
void vapi_list(struct vapi_ask *a, const json_t *list);
void vapi_change(json_t *resource, const json_t *changes);
void vapi_remove(struct vapi_ask *a, json_t *list, json_t *one);

void vapi_calls(struct vapi_ask *a);
void vapi_numbers(struct vapi_ask *a);
void vapi_assistants(struct vapi_ask *a);
void vapi_inbound(struct vapi_ask *a);
void vapi_status(struct vapi_ask *a);
void vapi_control(struct vapi_ask *a);      /* /control/… */
void vapi_live_control(struct vapi_ask *a); /* what monitor.controlUrl says */

/* ---- call.c ---- */
struct vapi_call *vapi_call_new(struct vapi_double *d, const char *type);
void vapi_call_free(struct vapi_call *c);
struct vapi_call *vapi_call_find(struct vapi_double *d,
                                 const char *id); /* its own, Twilio's, or "last" */
void vapi_call_status(struct vapi_call *c, const char *status);
void vapi_call_end(struct vapi_call *c, const char *reason);

/* The assistant that a request, a number or an answer names or holds, with overrides. False: none. */
bool vapi_call_assistant(struct vapi_call *c, const json_t *from);
void vapi_call_message(struct vapi_call *c, const char *role, const char *text, int64_t from_ms);
void vapi_call_twiml(const struct vapi_call *c, char *out, size_t cap);
bool vapi_call_live(const struct vapi_call *c);
void vapi_call_expect(struct vapi_call *c); /* ends by itself when nobody connects to it */

/* ---- picture.c ---- */
json_t *vapi_picture(const struct vapi_call *c);
json_t *vapi_artifact(const struct vapi_call *c);
json_t *vapi_costs(const struct vapi_call *c);
double vapi_cost(const struct vapi_call *c);
json_t *vapi_conversation(const struct vapi_call *c); /* messagesOpenAIFormatted */

/* ---- line.c ---- */
int vapi_upgrade(struct vapi_double *d, struct http_request *r, struct ws_accept *accept);
void vapi_line_audio(struct vapi_call *c, const uint8_t *ulaw, size_t n, bool assistant);
void vapi_line_clear(struct vapi_call *c);
bool vapi_line_has_client(const struct vapi_call *c); /* at the other end of a WebSocket */
void vapi_line_tell(struct vapi_call *c, const char *type,
                    const json_t *fields); /* client messages */
void vapi_line_close(struct vapi_call *c);
void vapi_line_drop(struct vapi_call *c);

/* ---- voice.c ---- */
void vapi_voice_start(struct vapi_call *c);
void vapi_voice_stop(struct vapi_call *c);
void vapi_voice_hear(struct vapi_call *c, const uint8_t *ulaw, size_t n);
void vapi_voice_say(struct vapi_call *c, const char *text, bool last);
void vapi_voice_first(struct vapi_call *c);
void vapi_voice_respond(struct vapi_call *c, const char *content); /* to what was written */

/* ---- order.c ---- */
/* What is told while the call is live, by its line or its controlUrl. Adds what is wrong with it; then nothing
 * was done. */
void vapi_order(struct vapi_call *c, const json_t *order, json_t *complaints);

/* ---- hook.c ---- */

/* What became of a server message: {type, call, url, status, answer, wrong, ms, …}, hook.c has all of it. */
typedef void(vapi_hook_fn)(struct vapi_call *c, const json_t *record, void *arg);

/* Posts {"message": {type, …fields}} to whom it belongs, if the assistant wants it told. Takes fields;
 * `done` (may be NULL) is called once, also when it was not posted, unless the double stops. */
void vapi_hook(struct vapi_call *c, const char *type, json_t *fields, vapi_hook_fn *done,
               void *arg);
void vapi_hooks_stop(struct vapi_double *d);

/* One call of a tool, in one of the shapes that Vapi's pages show: "openapi", "custom", "events", "legacy". */
void vapi_hook_tool(struct vapi_call *c, const char *shape, const char *name, const char *arguments,
                    vapi_hook_fn *done, void *arg);

/* ---- message.c ---- */
json_t *vapi_message(const struct vapi_call *c, const char *type,
                     json_t *fields); /* takes fields */
enum { VAPI_TOOL_ID = 32 };
void vapi_tool_id(char out[VAPI_TOOL_ID]);
json_t *vapi_tool_fields(const char *shape, const char *id, const char *name,
                         const char *arguments);
bool vapi_is_wanted(const struct vapi_call *c, const char *type);     /* by serverMessages */
bool vapi_is_for_client(const struct vapi_call *c, const char *type); /* by clientMessages */
const json_t *vapi_tool(const struct vapi_call *c, const char *name); /* the assistant's; or NULL */

/* Where it goes, by precedence: {url, timeoutSeconds, headers, backoffPlan}; NULL: nowhere. Borrowed. */
const json_t *vapi_server_of(const struct vapi_call *c, const char *type, const char *tool);

#endif
