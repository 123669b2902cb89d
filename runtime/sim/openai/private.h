/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - what the files of a session share: openai_session.c (client events),
 * openai_turn.c (the caller's turns),
 * openai_response.c and openai_plan.c (answers), openai_items.c (the conversation), openai_config.c
 * (settings), openai_emit.c (what goes out). */
#ifndef SIM_OPENAI_PRIVATE_H
#define SIM_OPENAI_PRIVATE_H

#include "sim/openai/check.h"
#include "sim/openai/ears.h"
#include "sim/openai/session.h"

#include <stdbool.h>

enum { ID_MAX = 64, ITEMS_MAX = 4096, LATE_MAX = 64, PENDING_MAX = 16, NOTES_MAX = 4096 };

struct item {
    char id[ID_MAX];
    json_t *json;          /* owns; as the API shows it, without audio */
    uint32_t generated_ms; /* assistant audio sent for it, ever */
    uint32_t audio_ms;     /* what is left of it after truncation */
    bool has_audio;
    uint32_t text_tokens, audio_tokens;
    uint32_t ticket;    /* of a user utterance, until it was listened to */
    uint64_t length_ms; /* of a user utterance */
};

/* An event for later: at `due_ms`, or when the next response is done if that comes first. */
struct late {
    json_t *event; /* owns */
    uint64_t due_ms;
    bool after_response;
};

/* A function call the model made for a reply, whose result it waits for. */
struct pending {
    char call_id[ID_MAX];
    const struct scenario_reply *reply; /* NULL: nothing follows */
    bool answered;
};

enum phase {
    PHASE_HEARING,  /* waits until the utterance it answers was listened to */
    PHASE_SPEAKING, /* waits for the speech */
    PHASE_OPEN,     /* next: the message item begins */
    PHASE_AUDIO,    /* deltas go out */
    PHASE_TOOL,     /* next: the function call */
    PHASE_DONE,     /* next: response.done */
    PHASE_LATE      /* cancelled, but deltas keep coming */
};

struct response {
    struct response *next;
    char id[ID_MAX], item_id[ID_MAX];
    bool beside; /* conversation "none" */
    bool text_only;
    enum phase phase;
    uint64_t due_ms;
    uint32_t heard_ticket, said_ticket;
    char *says, *tool, *arguments;       /* own; what it consists of */
    const struct scenario_reply *follow; /* what follows the tool's result */
    enum openai_fault fault;             /* asked for by the reply */
    json_t *metadata, *output;           /* own */
    json_t *format;                      /* owns; output format */
    const char *voice;
    int output_index;
    uint8_t *audio; /* owns; in the output format */
    size_t n_audio, sent;
    size_t text_sent; /* bytes of `says` */
    uint32_t bytes_per_ms;
    unsigned deltas, late;
    uint32_t text_in, audio_in, cached; /* tokens of the conversation when it began */
    uint32_t text_out, audio_out;
};

struct openai_session {
    const struct openai_script *script;
    const struct openai_session_events *events;
    void *arg;
    unsigned number;
    struct openai_misery misery;
    char id[ID_MAX], model[ID_MAX];
    uint64_t now_ms, started_ms, fault_due_ms;
    unsigned next_id;
    uint32_t next_ticket;
    uint64_t violations;
    bool over; /* closed: nothing goes out any more */

    json_t *config;  /* owns; the effective session */
    json_t *delayed; /* owns; a session.update that is late */
    uint64_t delayed_due_ms, idle_due_ms;
    bool told;  /* of a session before this one */
    bool spoke; /* assistant audio went out: the voice is locked */

    struct ears *ears;
    bool said_noise;          /* that what it hears is noise was told */
    char speaking_id[ID_MAX]; /* item the current speech will become; "": nobody speaks */
    uint64_t speech_from_ms;
    uint32_t heard_ticket; /* of an utterance committed by hand, for the next response */
    unsigned turns;

    struct item *items[ITEMS_MAX]; /* own; in conversation order */
    size_t n_items;
    struct response *responses; /* own; at most one of them not beside */
    struct late late[LATE_MAX];
    size_t n_late;
    struct pending pending[PENDING_MAX];
    size_t n_pending;
    struct openai_cue cue; /* the last reply given */
    char notes[NOTES_MAX]; /* what system messages said, one a line */
    uint32_t last_input;   /* tokens of the last input: what is cached now */
};

/* openai_emit.c */
void emit(struct openai_session *s, json_t *event); /* owns event; adds event_id; NULL is ignored */
void emit_error(struct openai_session *s, const char *type, const char *code, const char *message,
                const char *param, const char *event_id);
void emit_later(struct openai_session *s, json_t *event, uint64_t due_ms, bool after_response);
void fact(struct openai_session *s, json_t *fact); /* owns */
void session_end(struct openai_session *s, int code, const char *reason);
int session_moment(struct openai_session *s,
                   enum openai_moment m); /* OPENAI_GOES_ON, or how it breaks */
void make_id(struct openai_session *s, char out[ID_MAX], const char *prefix);
uint32_t count_tokens(const char *text);

/* openai_config.c */
json_t *config_new(const struct openai_session *s, int64_t unix_s);
/* Takes an update in; false with a complaint when the API refuses it. */
bool config_apply(struct openai_session *s, const json_t *update, struct complaint *c);
bool config_flag(const struct openai_session *s, const char *name); /* of turn_detection */
const json_t *config_input(const struct openai_session *s, const char *name);

/* openai_items.c */
struct item *item_find(struct openai_session *s, const char *id);
const char *item_last_id(const struct openai_session *s);
/* Adds at the end, or after `previous` ("root": at the front). Owns json. NULL when full. */
struct item *item_add(struct openai_session *s, json_t *json, const char *previous);
void item_emit(struct openai_session *s, const char *type, const struct item *i);
void items_free(struct openai_session *s);
void items_count(const struct openai_session *s, uint32_t *text, uint32_t *audio);
void on_item_create(struct openai_session *s, const json_t *event);
void on_item_retrieve(struct openai_session *s, const json_t *event);
void on_item_truncate(struct openai_session *s, const json_t *event);
void on_item_delete(struct openai_session *s, const json_t *event);
void refuse(struct openai_session *s, const json_t *event, const char *code, const char *param,
            const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* openai_turn.c */
void turn_listen(struct openai_session *s);
void turn_idle(struct openai_session *s);
/* The utterance becomes an item and the ears are asked what it was. A ticket, or 0. */
uint32_t turn_commit(struct openai_session *s, uint64_t from_ms, uint64_t to_ms);
struct item *turn_item(const struct openai_session *s, uint32_t ticket); /* still listened to */

/* openai_response.c */
json_t *response_picture(const struct openai_session *s, const struct response *r,
                         const char *status, json_t *details, bool done);
void response_fail(struct openai_session *s, struct response *r, const char *type, const char *code,
                   const char *message);
struct response *response_active(const struct openai_session *s);

/* openai_plan.c. NULL params: made by the VAD. heard_ticket 0: nothing to wait for. `says` (may be
 * NULL) settles what it says. */
void response_start(struct openai_session *s, const json_t *params, uint32_t heard_ticket,
                    const char *says);
/* openai_typed.c: what is answered to typed words that no scenario knows. False: nothing in particular. */
bool typed_answer(const struct openai_session *s, struct response *r);

void response_heard(struct openai_session *s, struct response *r, const struct openai_cue *cue);
void response_said(struct openai_session *s, struct response *r, const struct sound *pcm);
void response_cancel(struct openai_session *s, struct response *r, const char *reason);
void response_tick(struct openai_session *s, struct response *r);
void response_free(struct response *r);
void responses_reap(struct openai_session *s);

#endif
