/* SPDX-License-Identifier: Apache-2.0 */
/* What TwiML does to a call.
 *
 * Happy path: a document is run verb by verb; each verb begins something (stream, speech, pause,
 * fetch) whose end asks for the next verb. No next verb: the call ends.
 *
 * Failure modes
 *   - a document that is not well-formed, or has the wrong root: 12100, fallback URL;
 *   - a verb that cannot be run: its code, and the call is hung up;
 *   - the stream cannot be opened or breaks: its code, then the next verb;
 *   - from the end of a stream to the next verb, and from a call's second <Stream> to its socket, the
 *     network takes its time: what the caller says in those 860 ms is lost;
 *   - more than ten minutes of audio: 31931, the audio is thrown away.
 */
#include "sim/carrier/dial.h"

#include "base/err.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAY_MAX = 32768, REACTION_MAX_MS = 10000, DIGIT_MS = 500, DOCUMENTS_MAX = 100 };
enum { LEAVE_MS = 430, AGAIN_MS = 430 }; /* measured with Twilio: 860 ms from stream to stream */

static void on_warning(int code, const char *text, void *arg)
{
    carrier_violation(arg, code, text);
}

void carrier_run(struct carrier_call *c, struct rd_str twiml, const char *url)
{
    char why[200];
    int rc;

    twiml_free(c->doc);
    c->doc = NULL;
    carrier_dial_free(c);
    gather_end(&c->gather);
    if (url != c->doc_url)
        snprintf(c->doc_url, sizeof(c->doc_url), "%s", url);
    if (++c->n_docs > DOCUMENTS_MAX) {
        carrier_error(c, TWILIO_SCHEMA, "more than 100 documents for one call");
        carrier_call_end(c, "error");
        return;
    }
    rc = twiml_read(&c->doc, twiml, on_warning, c, why, sizeof(why));
    if (rc) {
        c->doc = NULL;
        carrier_fallback(c, TWILIO_NOT_XML, rc == RD_EPROTO ? why : rd_strerror(rc));
        return;
    }
    carrier_next_verb(c);
}

static void on_stream_open(void *arg)
{
    struct carrier_call *c = arg;

    carrier_tell(c, "stream.open", json_pack("{s:s}", "stream", c->stream_sid));
}

void carrier_on_mark(const char *name, void *arg)
{
    struct carrier_call *c = arg;

    if (c->stream)
        carrier_stream_mark(c->stream, name);
    carrier_tell(c, "mark", json_pack("{s:s}", "name", name));
}

static void on_clear(struct carrier_call *c)
{
    uint64_t now = clock_ms(loop_clock()), began = c->speech_began_ms;
    struct call_report *r = &c->report;
    uint32_t reaction = 0;
    bool busy = line_clear(c->line);

    r->clears_received++;
    if (busy) {
        r->barge_ins++;
        if (began && now - began < REACTION_MAX_MS)
            reaction = (uint32_t)(now - began);
        if (reaction > r->barge_in_worst_ms)
            r->barge_in_worst_ms = reaction;
    }
    carrier_tell(c, "clear",
                 json_pack("{s:b, s:i}", "barge_in", busy, "reaction_ms", (int)reaction));
}

static void first_audio(struct carrier_call *c)
{
    if (c->report.first_audio_ms == 0 && c->answered_ms) {
        uint64_t ms = clock_ms(loop_clock()) - c->answered_ms;
        c->report.first_audio_ms = ms > 0 ? (uint32_t)ms : 1;
    }
}

static void on_stream_message(const struct carrier_message *m, void *arg)
{
    struct carrier_call *c = arg;
    int rc = 0;

    switch (m->kind) {
    case CARRIER_MEDIA:
        c->report.media_received++;
        first_audio(c);
        rc = line_audio(c->line, m->audio, m->n_audio);
        break;
    case CARRIER_MARK:
        c->report.marks_received++;
        rc = line_mark(c->line, m->mark);
        break;
    case CARRIER_CLEAR:
        on_clear(c);
        break;
    }
    if (rc)
        carrier_violation(c, TWILIO_MEDIA_FULL, "more audio or marks than can be kept");
}

static void on_stream_refused(int code, const char *why, void *arg)
{
    carrier_violation(arg, code, why);
}

static void stream_over(struct carrier_call *c)
{
    c->report.frames_sent += carrier_stream_frames(c->stream);
    c->stream = NULL;
    line_reset(c->line);
}

static void on_stream_closed(int code, const char *why, void *arg)
{
    struct carrier_call *c = arg;

    stream_over(c);
    if (code == TWILIO_BINARY || code == TWILIO_STREAM_PROTOCOL)
        carrier_violation(c, code, why);
    else if (code)
        carrier_error(c, code, why);
    carrier_tell(c, "stream.closed", json_pack("{s:i, s:s}", "code", code, "why", why));
    loop_timer_in(c->pause, LEAVE_MS);
}

void carrier_lose_stream(struct carrier_call *c, bool stops)
{
    struct carrier_stream *s = c->stream;

    if (!s)
        return;
    if (stops)
        carrier_stream_end(s);
    else
        carrier_stream_break(s);
    on_stream_closed(stops ? 0 : TWILIO_STREAM_LOST, "by the network", c);
}

/* The stream before this verb is over: its action, or the next verb. */
static void stream_left(struct carrier_call *c)
{
    char url[CARRIER_URL_MAX];

    memcpy(url, c->action, sizeof(url));
    c->action[0] = '\0';
    if (url[0])
        carrier_fetch(c, url, "POST");
    else
        carrier_next_verb(c);
}

static void open_stream(struct carrier_call *c, const struct twiml_action *a)
{
    static const struct carrier_stream_events events = {on_stream_open, on_stream_message,
                                                        on_stream_refused, on_stream_closed};
    struct carrier_stream_opts o = {.loop = c->d->loop,
                                    .tls = c->d->tls,
                                    .token = c->d->token,
                                    .account_sid = c->d->account,
                                    .call_sid = c->sid,
                                    .stream_sid = c->stream_sid,
                                    .action = a,
                                    .events = &events,
                                    .arg = c};
    char at[CARRIER_URL_MAX];
    int rc = carrier_sid(c->stream_sid, "MZ");

    o.url = carrier_reach(c->d, a->url, at, sizeof(at));
    c->refusal_told = false;
    if (rc == 0 && a->action)
        rc = twiml_resolve(c->action, sizeof(c->action), c->doc_url, a->action);
    if (rc == 0)
        rc = carrier_stream_open(&c->stream, &o);
    if (rc) {
        carrier_error(c, TWILIO_STREAM_REFUSED, rd_strerror(rc));
        loop_timer_in(c->pause, 0);
    }
}

static void run_stream(struct carrier_call *c, const struct twiml_action *a)
{
    c->action[0] = '\0';
    if (c->n_streams++ == 0) {
        open_stream(c, a);
    } else {
        c->opens = a;
        loop_timer_in(c->pause, AGAIN_MS);
    }
}

static void on_spoken(struct carrier_call *c, const struct sound *s)
{
    first_audio(c);
    if (!s || line_say(c->line, s))
        carrier_error(c, TWILIO_SCHEMA, "the words could not be spoken");
    c->saying = true;
}

static void run_say(struct carrier_call *c, const struct twiml_action *a)
{
    c->said = true;
    if (a->text[0] == '\0' || carrier_speak(c, a->text, a->loop, on_spoken))
        loop_timer_in(c->pause, 0);
}

static void run_dial(struct carrier_call *c, const struct twiml_action *a)
{
    int rc;

    carrier_tell(c, "dial.begun",
                 json_pack("{s:s, s:I}", "whom", a->text, "n", (json_int_t)a->n_targets));
    rc = carrier_dial_run(c, a);
    if (rc) {
        carrier_error(c, TWILIO_RETRIEVAL, rd_strerror(rc));
        carrier_call_end(c, "error");
    }
}

/* The prompts of a <Gather> are one sentence to the caller; its pauses are waited for at the end. */
static void run_gather(struct carrier_call *c, const struct twiml_action *a)
{
    struct buf words;
    const char *text;

    if (gather_begin(&c->gather, a)) {
        carrier_call_end(c, "error");
        return;
    }
    buf_init(&words, SAY_MAX);
    for (size_t i = 0; i < a->n_prompts; i++) {
        if (a->prompts[i].kind == TWIML_SAY)
            buf_addf(&words, "%s%s", words.n ? " " : "", a->prompts[i].text);
        c->gather.timeout_ms += a->prompts[i].seconds * 1000;
    }
    text = buf_text(&words);
    if (words.n == 0 || !text || carrier_speak(c, text, 1, on_spoken))
        loop_timer_in(c->pause, c->gather.timeout_ms);
    buf_fini(&words);
}

/* Enough keys, or none for too long. */
static void gather_over(struct carrier_call *c)
{
    char url[CARRIER_URL_MAX];

    loop_timer_stop(c->pause);
    if (!gather_is_told(&c->gather)) {
        gather_end(&c->gather);
        carrier_next_verb(c);
    } else if (twiml_resolve(url, sizeof(url), c->doc_url, c->gather.action)) {
        carrier_error(c, TWILIO_RETRIEVAL, "the action of <Gather> is too long");
        carrier_call_end(c, "error");
    } else {
        carrier_fetch(c, url, c->gather.method); /* with the digits: the document ends the rest */
    }
}

void carrier_pause_over(struct carrier_call *c)
{
    const struct twiml_action *opens = c->opens;

    c->opens = NULL;
    if (c->gather.active)
        gather_over(c);
    else if (opens)
        open_stream(c, opens);
    else
        stream_left(c);
}

static void run_redirect(struct carrier_call *c, const struct twiml_action *a)
{
    char url[CARRIER_URL_MAX];

    if (twiml_resolve(url, sizeof(url), c->doc_url, a->text)) {
        carrier_error(c, TWILIO_RETRIEVAL, "the URL of <Redirect> is too long");
        carrier_call_end(c, "error");
        return;
    }
    if (!c->d->faults.stall)
        carrier_fetch(c, url, strcmp(a->method, "GET") == 0 ? "GET" : "POST");
}

static void note_verb(struct carrier_call *c, const struct twiml_action *a)
{
    size_t n = strlen(c->report.verbs);

    if (a->verb[0] == '\0')
        return;
    snprintf(c->report.verbs + n, sizeof(c->report.verbs) - n, "%s%s", n ? "," : "", a->verb);
    carrier_tell(c, "twiml.verb",
                 json_pack("{s:s, s:s*}", "verb", a->verb, "text", a->url ? a->url : a->text));
}

void carrier_next_verb(struct carrier_call *c)
{
    const struct twiml_action *a = twiml_next(c->doc);

    note_verb(c, a);
    if (a->kind != TWIML_REJECT && a->kind != TWIML_REDIRECT && a->kind != TWIML_BAD)
        carrier_call_answer(c);
    switch (a->kind) {
    case TWIML_STREAM:
        run_stream(c, a);
        break;
    case TWIML_SAY:
        run_say(c, a);
        break;
    case TWIML_DIGITS:
        loop_timer_in(c->pause, (uint64_t)strlen(a->text) * DIGIT_MS * a->loop);
        break;
    case TWIML_PAUSE:
        loop_timer_in(c->pause, (uint64_t)a->seconds * 1000);
        break;
    case TWIML_REDIRECT:
        run_redirect(c, a);
        break;
    case TWIML_DIAL:
        run_dial(c, a);
        break;
    case TWIML_GATHER:
        run_gather(c, a);
        break;
    case TWIML_HANGUP:
    case TWIML_REJECT:
    case TWIML_END:
        carrier_call_end(c, "agent");
        break;
    case TWIML_BAD:
        carrier_error(c, a->code, a->text);
        carrier_call_end(c, "error");
        break;
    }
}

void carrier_verb_stop(struct carrier_call *c)
{
    if (c->stream) {
        struct carrier_stream *s = c->stream;
        stream_over(c);
        carrier_stream_end(s);
        carrier_tell(c, "stream.closed",
                     json_pack("{s:i, s:s}", "code", 0, "why", "by the network"));
    }
    if (c->request) {
        http_call_cancel(c->request);
        c->request = NULL;
    }
    carrier_job_forget(c);
    c->saying = false;
    carrier_dial_free(c);
    gather_end(&c->gather);
    if (c->line)
        line_reset(c->line);
    c->action[0] = '\0';
    c->opens = NULL;
    loop_timer_stop(c->pause);
}

void carrier_digit(struct carrier_call *c, char digit)
{
    if (c->stream)
        carrier_stream_digit(c->stream, digit);
    if (!c->gather.active || c->request)
        return;
    carrier_job_forget(c); /* a key ends the prompt */
    c->saying = false;
    line_reset(c->line);
    if (gather_key(&c->gather, digit))
        gather_over(c);
    else
        loop_timer_in(c->pause, c->gather.timeout_ms);
}

void carrier_after_tick(struct carrier_call *c)
{
    if (!c->saying || !line_quiet(c->line))
        return;
    c->saying = false;
    if (c->gather.active)
        loop_timer_in(c->pause, c->gather.timeout_ms);
    else
        carrier_next_verb(c);
}
