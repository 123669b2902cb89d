/* SPDX-License-Identifier: Apache-2.0 */
/* ringer.c - the telephone of the synthetic call: the network and the caller of `ringdown call`, in this process.
 *
 *   webhook ─▶ TwiML ─▶ stream ─▶ the greeting is heard ─▶ a question ─▶ an answer is heard ─▶ hangs up ─▶ status
 *
 * When each of these was is told, and no more: what is good enough is judged elsewhere.
 *
 * Failure modes: no certificate to trust, an address that is none: `error` says so and no call was placed. The node
 * sends the call elsewhere (Vapi, a number): it is not followed. Without espeak-ng the caller hums, which nobody has to
 * understand: `spoke` says which it was. */
#include "cli/ringer.h"

#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "io/loop.h"
#include "sim/carrier/double.h"
#include "sim/speech/sound.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 100, MAX_MS = 40000, ALL_MS = 60000, HUM_MS = 1400, RATE_HZ = 8000 };
enum { REPORT_MAX = 16384, TEXT_MAX = 256, ENOUGH_MS = 400 /* of an answer */ };

static const char question[] = "Hello, can you hear me?";

/* --- what the caller says --- */

/* Syllables of a voice without words: harmonics of 120 Hz under two formants that move. */
static int hum(struct sound *out)
{
    size_t n = (size_t)HUM_MS * RATE_HZ / 1000;

    out->pcm = calloc(n, sizeof(*out->pcm));
    if (!out->pcm)
        return -ENOMEM;
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / RATE_HZ, syllable = fabs(sin(2 * M_PI * 1.8 * t)), x = 0;
        double low = 500 + 250 * sin(2 * M_PI * 0.9 * t),
               high = 1500 + 500 * cos(2 * M_PI * 1.3 * t);

        for (int k = 1; k <= 24; k++) {
            double hz = 120.0 * k;

            x += (exp(-pow((hz - low) / 180, 2)) + 0.5 * exp(-pow((hz - high) / 250, 2))) *
                 sin(2 * M_PI * hz * t);
        }
        out->pcm[i] = (int16_t)(5000 * syllable * x / 2);
    }
    return 0;
}

/* --- one call --- */

struct ring {
    const atomic_bool *stop;
    struct loop *loop;
    struct carrier_double *carrier;
    struct loop_timer *look;
    uint64_t until_ms;
    bool over;
    struct call_report report;

    /* What was told: ms since it was placed; -1: not yet. */
    int64_t asked_ms, webhook_ms, stream_ms, greeting_ms, said_ms, answer_ms;
    int webhook_status;
    char error[TEXT_MAX];
};

static int64_t number_of(const struct json_value *event, const char *key)
{
    struct json_value v = json_get(event, key);
    uint64_t n = 0;

    return json_u64(&v, &n) ? (int64_t)n : 0;
}

static void once(int64_t *when, int64_t at)
{
    if (*when < 0)
        *when = at;
}

static void take_error(struct ring *r, const struct json_value *event)
{
    struct json_value why = json_get(event, "why");

    if (!r->error[0] && json_copy(&why, r->error, sizeof(r->error)))
        (void)snprintf(r->error, sizeof(r->error), "what it was cannot be read");
}

static void on_event(const char *json, void *arg)
{
    struct ring *r = arg;
    struct json_value e, ev;
    int64_t at;

    if (json_parse(rd_str(json), &e))
        return;
    ev = json_get(&e, "ev");
    at = number_of(&e, "t_ms");
    if (json_is(&ev, "webhook.sent")) {
        once(&r->asked_ms, at);
    } else if (json_is(&ev, "webhook.answered") && r->webhook_ms < 0) {
        r->webhook_ms = at - (r->asked_ms > 0 ? r->asked_ms : 0);
        r->webhook_status = (int)number_of(&e, "status");
    } else if (json_is(&ev, "stream.open")) {
        once(&r->stream_ms, at);
    } else if (json_is(&ev, "agent.heard")) {
        once(r->said_ms < 0 ? &r->greeting_ms : &r->answer_ms, at);
    } else if (json_is(&ev, "caller.said")) {
        once(&r->said_ms, at);
    } else if (json_is(&ev, "error")) {
        take_error(r, &e);
    }
}

static void on_report(const struct call_report *report, void *arg)
{
    struct ring *r = arg;

    r->report = *report;
    r->over = true;
    loop_stop(r->loop);
}

static void on_look(void *arg)
{
    struct ring *r = arg;

    if ((r->stop && atomic_load(r->stop)) || clock_ms(loop_clock()) >= r->until_ms) {
        (void)snprintf(r->error, sizeof(r->error), "given up before it was over");
        loop_stop(r->loop);
    } else {
        loop_timer_in(r->look, LOOK_MS);
    }
}

static int64_t since(int64_t from, int64_t to)
{
    return from >= 0 && to >= from ? to - from : -1;
}

static int write_report(const struct ring *r, bool words, struct buf *out)
{
    const struct call_report *p = &r->report;
    int64_t answer = since(r->said_ms, r->answer_ms);

    return json_add_object(
        out,
        JSON_MEMBERS(J_STR("call", p->call_sid[0] ? p->call_sid : NULL), J_BOOL("over", r->over),
                     J_STR("ended_by", p->ended_by), J_STR("spoke", words ? "words" : "hum"),
                     J_INT("webhook_status", r->webhook_status), J_INT("webhook_ms", r->webhook_ms),
                     J_INT("stream_ms", r->stream_ms),
                     J_INT("first_audio_ms", r->greeting_ms < 0 ? -1 : (int64_t)p->first_audio_ms),
                     J_INT("said_ms", r->said_ms), J_INT("answer_ms", answer),
                     J_INT("duration_ms", p->seconds_ms), J_INT("violations", p->violations),
                     J_STR("verbs", p->verbs), J_STR("error", r->error)));
}

/* Nobody's number: no text, no list, no limit of callers is about it. */
static struct scenario scenario_of(const char *to, struct scenario_step steps[2])
{
    return (struct scenario){.name = (char *)"synthetic",
                             .file = (char *)"",
                             .from = (char *)"anonymous",
                             .to = (char *)to,
                             .steps = steps,
                             .n_steps = 2,
                             .max_ms = MAX_MS,
                             .dial = (char *)"failed",
                             .expect = {.barge_ins = -1}};
}

static int place(struct ring *r, const struct settings *s, const char *system,
                 const struct scenario *scenario)
{
    const char *ca = s->ca_file[0] ? s->ca_file : NULL;
    struct carrier_double_opts o = {.loop = r->loop,
                                    .node_url = s->public_url,
                                    .reach = s->synthetic_reach[0] ? s->synthetic_reach : NULL,
                                    .trial = "synthetic",
                                    .system = system,
                                    .fenced = true,
                                    .account_sid = s->twilio_sid,
                                    .auth_token = s->twilio_tokens[0],
                                    .ca_file = ca,
                                    .on_event = on_event,
                                    .event_arg = r};
    struct tls_client *tls = NULL;
    int rc = tls_client_new(&tls, ca, r->error, sizeof(r->error));

    o.tls = tls;
    if (!rc)
        rc = carrier_double_start(&r->carrier, &o, r->error, sizeof(r->error));
    if (!rc)
        rc = loop_timer_new(&r->look, r->loop, on_look, r);
    if (!rc)
        rc = carrier_double_call(r->carrier, scenario, NULL, NULL, on_report, r);
    if (!rc) {
        r->until_ms = clock_ms(loop_clock()) + ALL_MS;
        loop_timer_in(r->look, LOOK_MS);
        loop_run(r->loop);
    }
    loop_timer_free(r->look);
    carrier_double_stop(r->carrier);
    loop_free(r->loop); /* closes what still uses the trust */
    tls_client_free(tls);
    return rc;
}

int ring_once(const struct settings *s, const char *to, const char *system, const atomic_bool *stop,
              struct buf *out)
{
    struct ring r = {.stop = stop,
                     .asked_ms = -1,
                     .webhook_ms = -1,
                     .stream_ms = -1,
                     .greeting_ms = -1,
                     .said_ms = -1,
                     .answer_ms = -1};
    struct sound sound = {NULL, 0};
    bool words = sound_say(&sound, question, NULL) == 0;
    struct scenario_step steps[2] = {{.after = true},
                                     {.during = true, .at_ms = ENOUGH_MS, .hangup = true}};
    struct scenario scenario = scenario_of(to, steps);
    int rc = words ? 0 : hum(&sound);

    steps[0].pcm = sound.pcm;
    steps[0].n_pcm = sound.n;
    if (!rc && (!s->public_url[0] || !s->twilio_tokens[0] || !s->twilio_sid[0])) {
        (void)snprintf(r.error, sizeof(r.error),
                       "public.url, twilio.sid and twilio.tokens must be set");
    } else if (!rc) {
        rc = loop_new(&r.loop);
        if (!rc)
            rc = place(&r, s, system, &scenario);
        if (rc && rc != -ENOMEM && !r.error[0])
            (void)snprintf(r.error, sizeof(r.error), "%s", rd_strerror(rc));
        rc = rc == -ENOMEM ? rc : 0;
    }
    sound_fini(&sound);
    return rc ? rc : write_report(&r, words, out);
}

/* --- for a node --- */

struct ringer {
    const struct settings *settings; /* borrows */
    atomic_bool stop;
    pthread_mutex_t lock; /* of the following */
    bool rings, joinable;
    pthread_t thread;
    char to[64], system[16];
    struct buf report; /* of the last one, once it does not ring any more */
    int rc;
};

static void *ring_thread(void *arg)
{
    struct ringer *r = arg;
    struct buf report;
    int rc;

    buf_init(&report, REPORT_MAX);
    rc = ring_once(r->settings, r->to, r->system, &r->stop, &report);
    pthread_mutex_lock(&r->lock);
    buf_fini(&r->report);
    r->report = report;
    r->rc = rc;
    r->rings = false;
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static bool read_wish(struct ringer *r, const char *json)
{
    struct json_value wish, to, system;

    if (json_parse(rd_str(json), &wish))
        return false;
    to = json_get(&wish, "to");
    system = json_get(&wish, "system");
    return json_copy(&to, r->to, sizeof(r->to)) == 0 &&
           json_copy(&system, r->system, sizeof(r->system)) == 0;
}

static int begin(struct ringer *r, const char *json)
{
    int rc;

    if (r->rings)
        return -EALREADY;
    if (r->joinable)
        (void)pthread_join(r->thread, NULL);
    r->joinable = false;
    if (!read_wish(r, json))
        return -EINVAL;
    rc = -pthread_create(&r->thread, NULL, ring_thread, r);
    r->rings = r->joinable = rc == 0;
    return rc;
}

static int on_ring(void *arg, const char *json)
{
    struct ringer *r = arg;
    int rc;

    pthread_mutex_lock(&r->lock);
    rc = begin(r, json);
    pthread_mutex_unlock(&r->lock);
    return rc;
}

static int on_rung(void *arg, struct buf *out)
{
    struct ringer *r = arg;
    int rc;

    pthread_mutex_lock(&r->lock);
    rc = r->rings ? -EAGAIN : r->rc;
    if (!rc)
        rc = buf_add(out, r->report.data, r->report.n);
    pthread_mutex_unlock(&r->lock);
    return rc;
}

int ringer_new(struct ringer **out, const struct settings *s)
{
    struct ringer *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->settings = s;
    r->rc = -ENOENT;
    pthread_mutex_init(&r->lock, NULL);
    buf_init(&r->report, REPORT_MAX);
    *out = r;
    return 0;
}

void ringer_free(struct ringer *r)
{
    if (!r)
        return;
    atomic_store(&r->stop, true);
    if (r->joinable)
        (void)pthread_join(r->thread, NULL);
    buf_fini(&r->report);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

struct node_ringer ringer_lend(struct ringer *r)
{
    return (struct node_ringer){.ring = on_ring, .rung = on_rung, .arg = r};
}
