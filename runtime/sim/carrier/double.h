/* SPDX-License-Identifier: Apache-2.0 */
/* double.h - a telephone network that behaves as Twilio does: signed webhooks, TwiML run
 * verb by verb, Media Streams with real-time playout, marks and clear, REST Calls, and one caller
 * per scenario. Refuses what Twilio refuses and says so. */
#ifndef SIM_CARRIER_DOUBLE_H
#define SIM_CARRIER_DOUBLE_H

#include "io/loop.h"
#include "io/tls.h"
#include "sim/scenario.h"

#include <stdbool.h>
#include <stdint.h>

struct carrier_double;

/* The account that the doubles, the demo and the tests agree on. Nobody's. */
#define CARRIER_DOUBLE_ACCOUNT "AC5f1d0e7a29b84c36a1e0d9c7b6a59483"
#define CARRIER_DOUBLE_TOKEN   "7d3f9a0c5e1b48268f40d2c1b3a69e57"

/* What happens on the line, as it happens: one JSON object each, terminated, without a line feed.
 * Loop's thread. Always ev, t_ms (since the call was placed), unix_ms, call, scenario; ev is one of
 * call.ringing .answered .ended .judged, webhook.sent .answered .fallback, status.answered,
 * twiml.verb, stream.open .closed, caller.says .said .digit .hangs_up .gives_up, agent.heard
 * .silent, mark, clear, rest.request, rest.update, error; dial.begun .answered .failed; of who is
 * dialled (leg, to) leg.ringing .answered .webhook .verb .hears .digit .through .ended;
 * callback.answered; of texts (text, from, to, body, status) text.created .delivered .undelivered
 * .refused on their way to a telephone, text.received .answered from one to the node;
 * number.updated (number, done, fields). */
typedef void(carrier_event_fn)(const char *json, void *arg);

struct carrier_double_opts {
    struct loop *loop;
    const char *node_url;     /* where the number's VoiceUrl points: http(s)://host:port */
    const char *fallback_url; /* the number's VoiceFallbackUrl; NULL: none */
    const char *account_sid, *auth_token;
    const char *
        trial; /* "call", "synthetic": what the node is told that this is (gateway/trial.h); NULL: nothing */
    const char *system; /* of a synthetic call: which it shall go to; NULL: the usual one */
    const char *reach;  /* http(s)://host:port where node_url is really found; NULL: by its name */
    bool fenced;        /* the node may send its calls nowhere but to node_url; nothing is logged */
    const char *rest_listen; /* serves REST Calls here; NULL: not */
    const char *rest_fault;  /* how it misbehaves: sim/carrier/fault.h; NULL: not at all */
    const char
        *numbers; /* of the account: how many, or a file: sim/carrier/numbers.h; NULL: none */
    const struct scenario *const *scenarios; /* borrows: who is at the telephones; may be NULL */
    size_t n_scenarios;
    struct tls_client *tls;
    const char *ca_file;
    carrier_event_fn *on_event; /* NULL: nobody watches */
    void *event_arg;
};

/* What a call was like, from outside. */
struct call_report {
    char call_sid[40];
    const char *scenario;
    bool ok;       /* did all its scenario expects */
    char why[512]; /* if not: what was missing */

    /* "agent", "caller", "fallback" (Twilio's voice spoke for the agent, or the fallback URL was
     * asked; perhaps with a dial behind), "transfer" (a dial without that), "timeout" (the caller
     * gave up), "error" (the carrier did) */
    char ended_by[16];
    uint32_t seconds_ms;        /* whole call, from the answer */
    uint32_t first_audio_ms;    /* answered to first agent audio arriving */
    uint32_t barge_ins;         /* clears received while audio was queued */
    uint32_t barge_in_worst_ms; /* caller's speech start to clear received */
    uint32_t frames_sent;       /* caller frames, 20 ms each */
    uint32_t media_received, marks_received, clears_received;
    uint64_t played_ms, cleared_ms; /* agent audio heard, and thrown away by clear */
    uint32_t violations;            /* messages Twilio would have refused */
    uint32_t rest_updates;          /* that took effect */
    char verbs[256];                /* TwiML verbs run, comma separated */
};
typedef void(carrier_report_fn)(const struct call_report *r, void *arg);

/* REST listens when it returns. The loop must run for anything to happen. */
int carrier_double_start(struct carrier_double **out, const struct carrier_double_opts *o,
                         char *why, size_t cap);

/* Hangs up what is left, without reports, and frees. On the loop's thread. */
void carrier_double_stop(struct carrier_double *d);
/* A text, a callback or somebody who was dialled is still on the way. */
bool carrier_double_busy(const struct carrier_double *d);
uint16_t carrier_double_rest_port(const struct carrier_double *d);

/* Places one call; `done` is called once from the loop. `wav`: stereo recording (caller left, agent
 * right) or NULL. `s` must outlive the call. `to` overrides the scenario's number when not NULL. */
int carrier_double_call(struct carrier_double *d, const struct scenario *s, const char *to,
                        const char *wav, carrier_report_fn *done, void *arg);

#endif
