/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - the facts of a call as the core tells them: what was said, done and measured.
 * Borrowed for the duration of the callback. Media thread; never per frame. */
#ifndef PORTS_RECORDS_H
#define PORTS_RECORDS_H

#include "base/str.h"
#include "ports/provider.h"

#include <stdbool.h>
#include <stdint.h>

enum record_type {
    RECORD_STATE, /* the call's state changed: text is its name */
    RECORD_TURN, /* a finished turn in conversation order: role, text (as heard), said, seq, id, wait */
    RECORD_TOOL, /* id, name, text: arguments; a result follows with done = true, text: output */
    RECORD_BARGE_IN, /* heard_ms of the interrupted item */
    RECORD_DTMF,     /* text: always "*"; only the script learns the digit */
    RECORD_USAGE, /* usage, name: model, text: raw JSON; empty when the provider told none; id: of the item
                         that it made sound of, if any; said: why the model cut it off, else empty */
    RECORD_ERROR,     /* name: code, text: message */
    RECORD_NOTICE,    /* text: the notice's wording; it was heard whole */
    RECORD_PAUSE,     /* on, name: who: nothing of the caller is kept, or it is again */
    RECORD_RECORDING, /* recording: what became of it. May come after the end: the disk is slower */
    RECORD_OPERATOR,  /* name: what was asked for, text: with which words, id: by whom */
    RECORD_TRANSFER,  /* name: to whom, id: "asked" or "refused", text: why */
    RECORD_NAMED,     /* id: what the provider calls its session, name: the provider */
    RECORD_FAILOVER,  /* name: the provider that could not go on, id: who takes over, text: why */
    RECORD_RESUMED, /* text: why, gap_ms: without a session or a stream, attempt: of those within a minute */
    RECORD_ENDED /* text: reason, totals. Last of the call itself */
};

enum call_end_reason {
    CALL_END_CALLER_HANGUP, /* the carrier ended the stream */
    CALL_END_AGENT_HANGUP,  /* the agent said goodbye */
    CALL_END_SILENCE,
    CALL_END_MAX_DURATION,
    CALL_END_PROVIDER_FAILED, /* fallback: /twilio/resume says the rest */
    CALL_END_CARRIER_LOST,
    CALL_END_SCRIPT_FAILED,
    CALL_END_REFUSED, /* wrong CallSid in start, wrong format… */
    CALL_END_SHUTDOWN,
    CALL_END_OPERATOR,
    CALL_END_TRANSFERRED, /* the carrier dials somebody else for the caller */
    CALL_END_NODE_DRAINED /* not over for the caller: another node goes on with it */
};

struct call_totals {
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t gap_ms;      /* caller audio that never came, filled with silence */
    uint64_t bad_frames;  /* dropped: not base64, wrong order, unknown */
    uint64_t late_deltas; /* agent audio of dead responses, dropped */
    uint32_t turns, barge_ins, tool_calls, errors;
    bool opening_heard;      /* to its end, or the caller spoke: they got through */
    uint32_t first_audio_ms; /* stream start to first agent audio sent; 0: none */
    uint32_t duration_ms;
    struct provider_usage usage;
};

/* What became of a call's recording. */
struct recording_fact {
    const char *node; /* on whose disk */
    const char *path; /* below the data folder; "" when there is no file */
    uint64_t bytes;   /* of the file */
    uint32_t duration_ms;
    uint32_t paused_ms; /* of it, silence because the caller's words must not be kept */
    uint32_t lost_ms;   /* of it, silence because the recorder did not keep up */
    const char *state;  /* "kept", "cut", "failed" */
    const char *why;    /* not kept, or not whole, because: "disk_cap"…; "" when kept */
};

/* How long the caller waited for a turn of the agent, from when they stopped speaking. */
struct turn_wait {
    bool known;          /* it answers the caller, and made a sound */
    uint64_t stopped_ms; /* since the stream started: they stopped */
    uint32_t text_ms;    /* to its first words; with no words yet at the sound, later than that */
    uint32_t audio_ms;   /* to its first sound */
    uint32_t tool_ms;    /* of that, while tools ran */
};

struct record {
    enum record_type type;
    enum provider_role role;
    uint32_t seq;
    uint64_t at_ms; /* since the stream started */
    struct rd_str id, name, text;
    struct rd_str said;   /* as spoken, when that is more than `text`; else empty */
    const char *withheld; /* why a turn comes without its words: "before_notice", "paused"; NULL */
    bool done, interrupted, on;
    uint32_t heard_ms;
    uint32_t gap_ms, attempt; /* RECORD_RESUMED */
    uint32_t took_ms;         /* RECORD_TOOL, done: since the model called it */
    struct turn_wait wait;    /* RECORD_TURN */
    enum call_end_reason reason;
    const struct provider_usage *usage;
    const struct recording_fact *recording;
    const struct call_totals *totals; /* RECORD_ENDED */
};

typedef void(record_fn)(void *arg, const struct record *r);

#endif
