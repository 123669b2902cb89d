/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one session of the GPT-Live double.
 *
 * Happy path: session.start is checked, session.started follows, and from then on 40 ms of sound go out every
 * 40 ms, speech or silence. Commentary is said. The caller's speech ends in half a second of silence, is
 * recognised by its sound, told as words one by one, and answered: words, and functions that the backend calls.
 *
 * Failure modes: what is not accepted is a violation in the log and an error to the client; a caller who speaks
 * over it makes it stop at once; words that no scenario knows: asks for them again. */
#include "base/now.h"
#include "sim/live/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FRAME = 320,
    FRAME_MS = 40,
    PER_MS = 8,
    ENDPOINT_MS = 500,
    USAGE_TICKS = 25,
    FAULT_MS = 6000,
    HUGE_MS = 3000,
    HUGE_BYTES = 2 << 20,
    EXPIRES_S = 3600
};

static const char voice_name[] =
    "en-us+f3"; /* as OpenAI's other double: `heard` of a scenario fits both */

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* Owns event. */
static void emit(struct live_peer *p, json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT);

    if (p->ws && text)
        ws_send(p->ws, text, strlen(text));
    free(text);
    json_decref(event);
}

static void violation(struct live_peer *p, const char *why)
{
    live_fact(p->home, json_pack("{s:s, s:i, s:s}", "ev", "violation", "session", (int)p->number,
                                 "why", why));
    emit(p, json_pack("{s:s, s:{s:s, s:s, s:s}}", "type", "error", "error", "type",
                      "invalid_request_error", "code", "invalid_request", "message", why));
}

static double seconds(const struct live_peer *p)
{
    return p->started ? (double)(now_ms() - p->started_ms) / 1000.0 : 0;
}

static void finish(struct live_peer *p, const char *reason)
{
    p->closing = true;
    live_fact(p->home, json_pack("{s:s, s:i, s:s, s:f}", "ev", "closed", "session", (int)p->number,
                                 "reason", reason, "seconds", seconds(p)));
    emit(p, json_pack("{s:s, s:s, s:{s:f}}", "type", "session.closed", "reason", reason, "usage",
                      "seconds", seconds(p)));
    if (p->ws)
        ws_close(p->ws, 1000, "");
}

/* ---- slow work ---- */

struct job {
    struct live_peer *peer; /* stays alive: it counts its jobs */
    struct sound pcm;       /* owns; heard, or spoken */
    char *text;             /* owns; NULL: listening */
    int index;
};

static void heard(struct live_peer *p, int index);

static void job_run(void *arg)
{
    struct job *j = arg;

    if (!j->text)
        j->index =
            recogniser_best(openai_script_ears(j->peer->home->script), j->pcm.pcm, j->pcm.n, NULL);
    else if (sound_say(&j->pcm, j->text, voice_name))
        j->pcm = (struct sound){0};
}

static void take_speech(struct live_peer *p, const struct sound *pcm)
{
    p->speech = malloc(pcm->n + FRAME);
    if (!p->speech)
        return;
    for (size_t i = 0; i < pcm->n; i++)
        p->speech[i] = sim_ulaw_encode(pcm->pcm[i]);
    p->n_speech = (pcm->n + FRAME - 1) / FRAME * FRAME;
    memset(p->speech + pcm->n, 0xFF, p->n_speech - pcm->n);
    p->sent = p->text_sent = 0;
}

static void job_done(void *arg)
{
    struct job *j = arg;
    struct live_peer *p = j->peer;

    p->jobs--;
    if (j->text)
        p->making = false;
    if (p->ws && !p->closing && !j->text)
        heard(p, j->index);
    else if (p->ws && p->n_sayings > 0 && strcmp(p->sayings[0], j->text) == 0)
        take_speech(p, &j->pcm);
    sound_fini(&j->pcm);
    free(j->text);
    free(j);
    live_peer_maybe_free(p);
}

/* Takes pcm and text. */
static void job_start(struct live_peer *p, struct sound pcm, char *text)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j) {
        *j = (struct job){.peer = p, .pcm = pcm, .text = text, .index = -1};
        if (loop_work(p->home->loop, job_run, job_done, j) == 0) {
            p->jobs++;
            return;
        }
    }
    sound_fini(&pcm);
    free(text);
    free(j);
}

/* ---- speaking ---- */

static void say(struct live_peer *p, const char *text)
{
    char *copy = p->n_sayings < SAYINGS_MAX ? strdup(text) : NULL;

    if (copy)
        p->sayings[p->n_sayings++] = copy;
}

static void drop_saying(struct live_peer *p)
{
    free(p->sayings[0]);
    memmove(p->sayings, p->sayings + 1, --p->n_sayings * sizeof(p->sayings[0]));
    free(p->speech);
    p->speech = NULL;
}

static void said(struct live_peer *p, bool whole)
{
    live_fact(p->home, json_pack("{s:s, s:i, s:s, s:b}", "ev", "said", "session", (int)p->number,
                                 "text", p->sayings[0], "whole", whole));
    drop_saying(p);
}

static void tell_words(struct live_peer *p, const char *side, const char *words, size_t n)
{
    char type[64];
    json_int_t at = (json_int_t)(now_ms() - p->started_ms);

    snprintf(type, sizeof(type), "session.%s_transcript.delta", side);
    emit(p, json_pack("{s:s, s:s%, s:I, s:I}", "type", type, "delta", words, n, "start_ms", at,
                      "end_ms", at + FRAME_MS));
}

/* As many words as were spoken by now, with the space behind each. */
static void tell_spoken(struct live_peer *p)
{
    const char *text = p->sayings[0];
    size_t n = strlen(text), to = n * p->sent / p->n_speech;

    while (to < n && text[to] != ' ')
        to++;
    to += to < n;
    if (to > p->text_sent)
        tell_words(p, "output", text + p->text_sent, to - p->text_sent);
    p->text_sent = to;
}

static void send_frame(struct live_peer *p)
{
    uint8_t frame[FRAME];
    char b64[FRAME * 2];
    json_int_t at = (json_int_t)(now_ms() - p->started_ms);
    size_t n;

    memset(frame, 0xFF, sizeof(frame));
    if (p->speech)
        memcpy(frame, p->speech + p->sent, FRAME);
    n = sim_base64_encode(b64, frame, FRAME);
    emit(p, json_pack("{s:s, s:s%, s:I, s:I}", "type", "session.output_audio.delta", "delta", b64,
                      n, "start_ms", at, "end_ms", at + FRAME_MS));
    if (!p->speech)
        return;
    p->sent += FRAME;
    tell_spoken(p);
    if (p->sent >= p->n_speech)
        said(p, true);
}

/* ---- misbehaving ---- */

static void make_noise(struct live_peer *p)
{
    emit(p, json_pack("{s:s, s:n}", "type", "session.mood.updated", "mood"));
    emit(p, json_pack("{s:s, s:n, s:n}", "type", "session.input_transcript.delta", "delta",
                      "start_ms"));
    emit(p, json_pack("{s:s, s:s}", "type", "session.output_audio.delta", "delta", "%%%"));
    emit(p, json_pack("{s:s, s:{s:s}}", "type", "response.event", "event", "type", "response.new"));
}

static void send_huge(struct live_peer *p)
{
    char *text = malloc(HUGE_BYTES);

    if (!text)
        return;
    memset(text, 'A', HUGE_BYTES);
    if (p->ws)
        ws_send(p->ws, text, HUGE_BYTES);
    free(text);
}

static void misbehave(struct live_peer *p)
{
    uint64_t age = now_ms() - p->started_ms;

    if (p->fault == LIVE_NOISE && p->ticks % USAGE_TICKS == 3)
        make_noise(p);
    if (p->fault == LIVE_HUGE && age >= HUGE_MS) {
        p->fault = LIVE_GOOD;
        send_huge(p);
    }
    if (p->nth > 1 || age < FAULT_MS)
        return;
    if (p->fault == LIVE_DROP_FIRST && p->ws)
        ws_drop(p->ws);
    if (p->fault == LIVE_EXPIRE_FIRST)
        finish(p, "expired");
}

static void on_tick(void *arg)
{
    struct live_peer *p = arg;

    if (!p->ws || p->closing)
        return;
    loop_timer_at(p->clock, p->started_ms + (uint64_t)++p->ticks * FRAME_MS);
    if (!p->speech && p->n_sayings > 0 && !p->making) {
        char *text = strdup(p->sayings[0]);

        p->making = text != NULL;
        if (text)
            job_start(p, (struct sound){0}, text);
    }
    send_frame(p);
    if (p->ticks % USAGE_TICKS == 0)
        emit(p, json_pack("{s:s, s:{s:f}, s:{s:f}}", "type", "session.usage.updated", "usage",
                          "seconds", seconds(p), "context_window", "usage_ratio", 0.01));
    misbehave(p);
}

/* ---- the backend ---- */

/* Owns event. */
static void emit_backend(struct live_peer *p, json_t *event)
{
    emit(p, json_pack("{s:s, s:s, s:o}", "type", "response.event", "delegation_id", "item_1",
                      "event", event));
}

static void use_tool(struct live_peer *p, const char *name, const char *arguments,
                     const struct scenario_reply *reply)
{
    struct live_call *c = &p->calls[p->n_calls];

    if (p->n_calls == CALLS_MAX)
        return;
    p->n_calls++;
    *c = (struct live_call){.reply = reply};
    snprintf(c->id, sizeof(c->id), "call_%u_%u", p->number, ++p->next_id);
    emit(p, json_pack("{s:s, s:i, s:{s:s, s:s}}", "type", "session.delegation.created", "offset_ms",
                      0, "delegation", "id", "item_1", "target", "responses"));
    emit_backend(p, json_pack("{s:s, s:{}}", "type", "response.created", "response"));
    emit_backend(p, json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "type",
                              "response.output_item.done", "item", "type", "function_call", "id",
                              "fc_1", "call_id", c->id, "name", name, "arguments",
                              arguments ? arguments : "{}"));
    emit_backend(p,
                 json_pack("{s:s, s:{s:s, s:{s:i, s:i}}}", "type", "response.completed", "response",
                           "model", "gpt-5.5", "usage", "input_tokens", 800, "output_tokens", 20));
}

static void answer(struct live_peer *p, const struct scenario_reply *reply)
{
    if (!reply) {
        say(p, "I did not get that. Could you say it again?");
        return;
    }
    if (reply->says)
        say(p, reply->says);
    if (reply->tool)
        use_tool(p, reply->tool, reply->arguments, reply);
}

static void on_output(struct live_peer *p, const json_t *event)
{
    const json_t *item = json_object_get(event, "item");
    const char *id = json_string_value(json_object_get(item, "call_id"));

    for (unsigned i = 0; i < p->n_calls; i++) {
        if (strcmp(p->calls[i].id, id) != 0 || p->calls[i].answered)
            continue;
        p->calls[i].answered = true;
        live_fact(p->home, json_pack("{s:s, s:i, s:s}", "ev", "output", "session", (int)p->number,
                                     "text", json_string_value(json_object_get(item, "output"))));
        return;
    }
    violation(p, "an output for a call that was not made");
}

static void on_continue(struct live_peer *p)
{
    const struct scenario_reply *reply = p->n_calls ? p->calls[0].reply : NULL;

    for (unsigned i = 0; i < p->n_calls; i++)
        if (!p->calls[i].answered) {
            violation(p, "response.create before all outputs");
            return;
        }
    p->n_calls = 0;
    if (reply && reply->then_says)
        say(p, reply->then_says);
    if (reply && reply->then_tool)
        use_tool(p, reply->then_tool, reply->then_arguments, NULL);
}

/* ---- listening ---- */

static void heard(struct live_peer *p, int index)
{
    const char *text = "(not understood)", *word;

    p->cue = openai_script_heard(p->home->script, index, p->cue, "");
    if (index >= 0)
        text = p->cue.reply && p->cue.reply->hears
                   ? p->cue.reply->hears
                   : recogniser_text(openai_script_ears(p->home->script), index);
    live_fact(p->home,
              json_pack("{s:s, s:i, s:s}", "ev", "heard", "session", (int)p->number, "text", text));
    for (word = text; *word;) {
        size_t n = strcspn(word, " ");

        n += word[n] == ' ';
        tell_words(p, "input", word, n);
        word += n;
    }
    answer(p, index < 0 ? NULL : p->cue.reply);
}

static void on_audio(struct live_peer *p, const json_t *event)
{
    const char *b64 = json_string_value(json_object_get(event, "audio"));
    size_t n = strlen(b64);
    uint8_t *bytes = malloc(n + 1);
    ssize_t got = bytes ? sim_base64_decode(bytes, b64, n) : -1;
    enum vad_event what;
    uint64_t at_ms = 0;
    struct sound pcm;

    if (got < 0 || ears_append(p->ears, bytes, (size_t)got))
        violation(p, "audio that is no base64");
    free(bytes);
    while ((what = ears_next(p->ears, &at_ms)) != VAD_NOTHING) {
        if (what == VAD_STARTED) {
            p->heard_from_ms = at_ms;
            while (p->n_sayings > 0)
                said(p, false);
        } else if (ears_take(p->ears, &pcm, p->heard_from_ms, at_ms) == 0) {
            job_start(p, pcm, NULL);
        }
    }
}

/* ---- what it is sent ---- */

static void on_commentary(struct live_peer *p, const char *content)
{
    static const char open_quote[] = "\xe2\x80\x9c", close_quote[] = "\xe2\x80\x9d";
    const char *from = strstr(content, open_quote);
    const char *to = from ? strstr(from, close_quote) : NULL;
    char *words;

    if (!to)
        return; /* it was told to answer, and does so by itself */
    words = strndup(from + 3, (size_t)(to - from) - 3);
    if (words)
        say(p, words);
    free(words);
}

static void on_start(struct live_peer *p)
{
    if (p->fault == LIVE_NO_START) {
        violation(p, "no session for you");
        return;
    }
    if (p->fault == LIVE_STUCK)
        return;
    p->started = true;
    p->started_ms = now_ms();
    emit(p, json_pack("{s:s, s:{s:s, s:I}}", "type", "session.started", "session", "id",
                      "live_double", "expires_at", (json_int_t)time(NULL) + EXPIRES_S));
    loop_timer_in(p->clock, FRAME_MS);
}

static void obey(struct live_peer *p, const json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *content = json_string_value(json_object_get(event, "content"));

    if (strcmp(type, "session.start") == 0)
        on_start(p);
    else if (strcmp(type, "session.input_audio.append") == 0)
        on_audio(p, event);
    else if (strcmp(type, "session.commentary.append") == 0)
        on_commentary(p, content);
    else if (strcmp(type, "response.item.create") == 0)
        on_output(p, event);
    else if (strcmp(type, "response.create") == 0)
        on_continue(p);
    else if (strcmp(type, "session.close") == 0)
        finish(p, "close_requested");
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct live_peer *p = arg;
    json_t *event = json_loadb(msg, n, 0, NULL);
    const char *type = json_string_value(json_object_get(event, "type"));
    char why[WHY_MAX];

    (void)w;
    if (type && strcmp(type, "session.input_audio.append") != 0)
        live_fact(p->home, json_pack("{s:s, s:i, s:O}", "ev", "sent", "session", (int)p->number,
                                     "event", event));
    if (p->closing)
        ;
    else if (live_check(event, p->started, why))
        violation(p, why);
    else
        obey(p, event);
    json_decref(event);
}

/* ---- the socket ---- */

static void on_open(struct ws *w, void *arg)
{
    struct live_peer *p = arg;

    p->ws = w;
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct live_peer *p = arg;

    (void)w, (void)c;
    p->ws = NULL;
    loop_timer_stop(p->clock);
    live_peer_maybe_free(p);
}

const struct ws_handlers live_peer_events = {.open = on_open, .text = on_text, .closed = on_closed};

void live_peer_maybe_free(struct live_peer *p)
{
    struct live_double *d = p->home;
    struct live_peer **at = &d->peers;

    if (p->ws || p->jobs)
        return;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    while (p->n_sayings > 0)
        drop_saying(p);
    ears_free(p->ears);
    loop_timer_free(p->clock);
    free(p);
    live_double_maybe_free(d);
}

int live_peer_new(struct live_peer **out, struct live_double *d, enum live_fault fault)
{
    static const struct vad_opts vad = {
        .threshold = 0.5F, .prefix_padding_ms = 300, .silence_duration_ms = ENDPOINT_MS};
    struct live_peer *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    if (ears_new(&p->ears) || loop_timer_new(&p->clock, d->loop, on_tick, p)) {
        ears_free(p->ears);
        free(p);
        return -ENOMEM;
    }
    ears_tune(p->ears, EARS_ULAW, &vad);
    p->home = d;
    p->fault = fault;
    p->number = ++d->n_sessions;
    p->nth = fault == LIVE_GOOD ? 0 : ++d->n_faulty;
    p->next = d->peers;
    d->peers = p;
    *out = p;
    return 0;
}
