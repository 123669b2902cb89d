/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one simulated call, and the list of them that is the carrier double.
 *
 * Happy path
 *   - the caller's sentences are spoken by espeak-ng beforehand (helper thread);
 *   - the voice webhook is posted; its TwiML runs verb by verb; the first verb but <Reject>
 * answers;
 *   - from then on a 20 ms clock with absolute deadlines moves both sides' audio;
 *   - whoever ends the call: stream closed, status callback posted, the scenario judged, `done`
 * called.
 *
 * Failure modes
 *   - espeak-ng or a WAV file is missing: the call ends with ended_by "error" and says so;
 *   - the node does not answer, or not with TwiML: fallback URL, then the end (carrier_fetch.c);
 *   - the loop was late: the missing ticks are made up at once, the schedule does not drift.
 */
#include "sim/carrier/dial.h"
#include "sim/carrier/texts.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int carrier_sid(char out[CARRIER_SID_BYTES], const char *prefix)
{
    uint8_t random[16];
    int rc = random_bytes(random, sizeof(random));

    if (rc)
        return rc;
    out[0] = prefix[0];
    out[1] = prefix[1];
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(out + 2 + i * 2, 3, "%02x", random[i]);
    return 0;
}

void carrier_event(struct carrier_double *d, const struct carrier_who *about, const char *event,
                   json_t *fields)
{
    json_t *all = json_pack("{s:s, s:I, s:I, s:s, s:s}", "ev", event, "t_ms",
                            (json_int_t)(clock_ms(loop_clock()) - about->since_ms), "unix_ms",
                            (json_int_t)unix_ms(), "call", about->sid, "scenario", about->scenario);
    char *text = NULL;

    if (all && fields)
        json_object_update(all, fields);
    if (all && d->on_event)
        text = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (text)
        d->on_event(text, d->event_arg);
    free(text);
    json_decref(all);
    json_decref(fields);
}

struct carrier_who carrier_call_who(const struct carrier_call *c, const char *status)
{
    return (struct carrier_who){.sid = c->sid,
                                .from = c->from,
                                .to = c->to,
                                .status = status,
                                .direction = "inbound",
                                .scenario = c->scenario->name,
                                .since_ms = c->placed_ms};
}

void carrier_tell(struct carrier_call *c, const char *event, json_t *fields)
{
    struct carrier_who who = carrier_call_who(c, "");

    carrier_event(c->d, &who, event, fields);
}

void carrier_error(struct carrier_call *c, int code, const char *why)
{
    if (c->error[0] == '\0')
        snprintf(c->error, sizeof(c->error), "%d: %s", code, why);
    if (!c->d->fenced)
        log_warn("sim.carrier_error", F_CALL(c->sid), F_INT("code", code), F_STR("why", why));
    carrier_tell(c, "error", json_pack("{s:i, s:s}", "code", code, "why", why));
}

void carrier_violation(struct carrier_call *c, int code, const char *why)
{
    c->report.violations++;
    if (c->refusal_told)
        return;
    c->refusal_told = true;
    carrier_error(c, code, why);
}

/* What a recorded prompt says: the scenario's model side knows. */
static const char *words_of(const struct scenario *s, const char *said)
{
    for (size_t i = 0; i < s->n_replies; i++) {
        const struct scenario_reply *y = &s->replies[i];
        if (y->hears && y->hears_file && strcmp(y->hears_file, said) == 0)
            return y->hears;
    }
    return said;
}

static void on_caller(const struct caller_event *e, void *arg)
{
    struct carrier_call *c = arg;
    char digit[2] = {e->digit, '\0'};

    switch (e->kind) {
    case CALLER_SAYS:
        c->speech_began_ms = clock_ms(loop_clock());
        carrier_tell(c, "caller.says", json_pack("{s:s}", "text", words_of(c->scenario, e->text)));
        break;
    case CALLER_SAID:
        carrier_tell(c, "caller.said", NULL);
        break;
    case CALLER_DIGIT:
        carrier_tell(c, "caller.digit", json_pack("{s:s}", "digit", digit));
        carrier_digit(c, e->digit);
        break;
    case CALLER_LOST:
    case CALLER_STOPPED:
        carrier_lose_stream(c, e->kind == CALLER_STOPPED);
        break;
    case CALLER_HANGS_UP:
        carrier_tell(c, "caller.hangs_up", NULL);
        carrier_call_end(c, "caller");
        break;
    case CALLER_GIVES_UP:
        carrier_tell(c, "caller.gives_up", NULL);
        carrier_call_end(c, "timeout");
        break;
    }
}

static void on_agent(bool speaking, uint32_t ms, void *arg)
{
    struct carrier_call *c = arg;

    if (speaking)
        carrier_tell(c, "agent.heard", NULL);
    else
        carrier_tell(c, "agent.silent", json_pack("{s:i}", "heard_ms", (int)ms));
}

static void on_tick(void *arg)
{
    struct carrier_call *c = arg;
    uint8_t frame[PLAYOUT_FRAME];

    while (c->state == CARRIER_UP && c->next_tick_ms <= clock_ms(loop_clock())) {
        c->next_tick_ms += CALLER_FRAME_MS;
        line_tick(c->line, frame);
        if (c->stream && c->state == CARRIER_UP)
            carrier_stream_audio(c->stream, frame, sizeof(frame));
        if (c->state == CARRIER_UP)
            carrier_after_tick(c);
    }
    if (c->state == CARRIER_UP)
        loop_timer_at(c->tick, c->next_tick_ms);
}

void carrier_call_answer(struct carrier_call *c)
{
    if (c->state != CARRIER_RINGING)
        return;
    c->state = CARRIER_UP;
    c->answered_ms = clock_ms(loop_clock());
    c->next_tick_ms = c->answered_ms + CALLER_FRAME_MS;
    loop_timer_at(c->tick, c->next_tick_ms);
    carrier_tell(c, "call.answered", NULL);
}

static void remember(struct carrier_call *c)
{
    struct carrier_double *d = c->d;
    struct carrier_past *p = &d->past[d->n_past++ % CARRIER_PAST_CALLS];

    p->deleted = false;
    memcpy(p->sid, c->sid, sizeof(p->sid));
    memcpy(p->from, c->from, sizeof(p->from));
    memcpy(p->to, c->to, sizeof(p->to));
    p->scenario = c->scenario;
    p->placed_ms = c->placed_ms;
    p->placed_unix = c->placed_unix;
    p->ended_unix = c->ended_unix;
    p->duration_s = (c->report.seconds_ms + 999) / 1000;
}

static void on_judged(struct carrier_call *c)
{
    struct carrier_double *d = c->d;
    struct carrier_call **at = &d->calls;
    const struct call_report *r = &c->report;

    carrier_tell(c, "call.judged",
                 json_pack("{s:b, s:s, s:s, s:i, s:s}", "ok", r->ok, "ended_by", r->ended_by, "why",
                           r->why, "ms", (int)r->seconds_ms, "verbs", r->verbs));
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->done(r, c->arg);
    carrier_call_free(c);
}

static void on_bury(void *arg)
{
    on_judged(arg);
}

static void on_status_told(struct carrier_call *c)
{
    if (carrier_judge(c, on_judged)) {
        snprintf(c->report.why, sizeof(c->report.why), "out of memory");
        loop_timer_in(c->bury, 0);
    }
}

/* Who it was, when the other side ended it. */
static const char *ended_by(const struct carrier_call *c, const char *by)
{
    if (strcmp(by, "agent") != 0)
        return by;
    if (c->fell_back || c->said)
        return "fallback";
    return c->dialled ? "transfer" : "agent";
}

void carrier_call_end(struct carrier_call *c, const char *by)
{
    struct call_report *r = &c->report;

    if (c->state == CARRIER_ENDING)
        return;
    c->state = CARRIER_ENDING;
    carrier_dial_hung_up(c);
    carrier_verb_stop(c);
    loop_timer_stop(c->tick);
    loop_timer_stop(c->update_timer);
    carrier_update_fini(&c->update);
    c->ended_ms = clock_ms(loop_clock());
    c->ended_unix = (int64_t)time(NULL);
    snprintf(r->ended_by, sizeof(r->ended_by), "%s", ended_by(c, by));
    r->seconds_ms = c->answered_ms ? (uint32_t)(c->ended_ms - c->answered_ms) : 0;
    if (c->line) {
        r->played_ms = line_played_ms(c->line);
        r->cleared_ms = line_cleared_ms(c->line);
    }
    remember(c);
    carrier_tell(c, "call.ended",
                 json_pack("{s:s, s:i}", "ended_by", r->ended_by, "ms", (int)r->seconds_ms));
    if (c->answered_ms || c->fetching[0])
        carrier_status(c, on_status_told);
    else
        on_status_told(c);
}

static void on_prepared(struct carrier_call *c, int err)
{
    static const struct line_events events = {on_caller, carrier_on_mark, on_agent};
    const struct carrier_number *ours;
    char url[CARRIER_URL_MAX];

    if (err == 0)
        err = line_new(&c->line, c->scenario, c->sounds, &events, c);
    c->placed_ms = clock_ms(loop_clock());
    c->placed_unix = (int64_t)time(NULL);
    c->state = CARRIER_RINGING;
    if (err) {
        carrier_error(c, TWILIO_RETRIEVAL,
                      err == -ENOENT ? "espeak-ng or a recorded prompt is missing"
                                     : rd_strerror(err));
        carrier_call_end(c, "error");
        return;
    }
    for (size_t i = 0; i < c->scenario->n_texts; i++) {
        const struct scenario_text *t = &c->scenario->texts[i];
        (void)carrier_text_receive(c->d, c->scenario->name, t->from ? t->from : c->from,
                                   t->to ? t->to : c->to, t->body, t->at_ms);
    }
    carrier_tell(c, "call.ringing", json_pack("{s:s, s:s}", "from", c->from, "to", c->to));
    ours = carrier_number_of(&c->d->numbers, c->to);
    if (ours)
        snprintf(url, sizeof(url), "%s", carrier_number_get(ours, "voice_url"));
    else
        snprintf(url, sizeof(url), "%s/twilio/voice", c->d->node_url);
    carrier_fetch(c, url, ours ? carrier_number_get(ours, "voice_method") : "POST");
}

void carrier_call_free(struct carrier_call *c)
{
    if (!c)
        return;
    carrier_job_forget(c);
    carrier_dial_free(c);
    gather_end(&c->gather);
    if (c->stream)
        carrier_stream_end(c->stream);
    if (c->request)
        http_call_cancel(c->request);
    loop_timer_free(c->tick);
    loop_timer_free(c->pause);
    loop_timer_free(c->update_timer);
    loop_timer_free(c->bury);
    line_free(c->line);
    twiml_free(c->doc);
    for (size_t i = 0; c->sounds && i < c->scenario->n_steps; i++)
        sound_fini(&c->sounds[i]);
    free(c->sounds);
    carrier_update_fini(&c->update);
    free(c->wav);
    free(c);
}

static void on_pause(void *arg)
{
    carrier_pause_over(arg);
}

static void on_update(void *arg)
{
    struct carrier_call *c = arg;
    struct carrier_update u = c->update;

    c->update = (struct carrier_update){0};
    c->report.rest_updates++;
    carrier_tell(c, "rest.update",
                 json_pack("{s:s}", "kind",
                           u.hang_up ? "completed"
                           : u.twiml ? "twiml"
                                     : "url"));
    if (u.hang_up) {
        carrier_call_end(c, "agent");
    } else {
        carrier_verb_stop(c);
        if (u.twiml)
            carrier_run(c, rd_str(u.twiml), c->doc_url);
        else
            carrier_fetch(c, u.url, u.method ? u.method : "POST");
    }
    carrier_update_fini(&u);
}

int carrier_double_call(struct carrier_double *d, const struct scenario *s, const char *to,
                        const char *wav, carrier_report_fn *done, void *arg)
{
    struct carrier_call *c = calloc(1, sizeof(*c));
    int rc = -ENOMEM;

    if (!c)
        return rc;
    c->d = d;
    c->scenario = s;
    c->done = done;
    c->arg = arg;
    c->placed_ms = clock_ms(loop_clock());
    c->report.scenario = s->name;
    snprintf(c->from, sizeof(c->from), "%s", s->from);
    snprintf(c->to, sizeof(c->to), "%s", to ? to : s->to);
    c->wav = wav ? strdup(wav) : NULL;
    c->sounds = calloc(s->n_steps + 1, sizeof(*c->sounds));
    if ((wav && !c->wav) || !c->sounds)
        goto fail;
    rc = carrier_sid(c->sid, "CA");
    memcpy(c->report.call_sid, c->sid, sizeof(c->sid));
    rc = rc ? rc : loop_timer_new(&c->tick, d->loop, on_tick, c);
    rc = rc ? rc : loop_timer_new(&c->pause, d->loop, on_pause, c);
    rc = rc ? rc : loop_timer_new(&c->update_timer, d->loop, on_update, c);
    rc = rc ? rc : loop_timer_new(&c->bury, d->loop, on_bury, c);
    rc = rc ? rc : carrier_prepare(c, on_prepared);
    if (rc)
        goto fail;
    c->next = d->calls;
    d->calls = c;
    return 0;
fail:
    carrier_call_free(c);
    return rc;
}
