/* SPDX-License-Identifier: Apache-2.0 */
/* voice.c - the assistant on the line: speaks, listens, answers what the scenarios say, uses tools.
 *
 * Happy path: it joins, says its first message; the caller's speech ends in half a second of silence, is
 * recognised by its sound, and answered: words, a tool whose result comes from the server, the end.
 *
 * Failure modes: the caller speaks over it: silent at once, user-interrupted; words that no scenario knows: asks
 * for them again; the tool's server does not answer, or not as it should: `hang`, and an apology. */
#include "base/now.h"
#include "sim/vapi/private.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME = 160, FRAME_MS = 20, PER_MS = 8, ENDPOINT_MS = 500 };

static const char voice_name[] = "en-us+f3"; /* as the model's: `heard` of a scenario fits both */

/* One piece of slow work. */
struct job {
    struct vapi_call *c; /* there as long as jobs are */
    struct sound pcm;    /* owns; heard, or spoken */
    char *text;          /* owns; NULL: listening */
    uint64_t begun_ms;
    int64_t from_ms; /* unix; of what was heard */
    int index;
};

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* Told to the server, and to whoever is at the other end of a WebSocket. Takes fields. */
static void tell(struct vapi_call *c, const char *type, json_t *fields)
{
    vapi_line_tell(c, type, fields);
    vapi_hook(c, type, fields, NULL, NULL);
}

static void tell_speech(struct vapi_call *c, const char *status, const char *role)
{
    tell(c, "speech-update",
         json_pack("{s:s, s:s, s:i}", "status", status, "role", role, "turn", (int)c->turn));
}

static void tell_transcript(struct vapi_call *c, const char *role, const char *text)
{
    tell(c, "transcript",
         json_pack("{s:s, s:s, s:s}", "role", role, "transcriptType", "final", "transcript", text));
}

/* ---- speaking ---- */

static void job_free(struct job *j)
{
    sound_fini(&j->pcm);
    free(j->text);
    free(j);
}

static void take_speech(struct vapi_call *c, const struct sound *pcm)
{
    free(c->speech);
    c->speech = malloc(pcm->n + FRAME);
    if (!c->speech)
        return;
    for (size_t i = 0; i < pcm->n; i++)
        c->speech[i] = sim_ulaw_encode(pcm->pcm[i]);
    c->n_speech = (pcm->n + FRAME - 1) / FRAME * FRAME;
    memset(c->speech + pcm->n, 0xFF, c->n_speech - pcm->n);
    c->sent = 0;
    c->speech_ms = now_ms();
    c->said_from_ms = unix_ms();
    tell_speech(c, "started", "assistant");
}

static void drop_saying(struct vapi_call *c)
{
    if (c->n_sayings == 0)
        return;
    free(c->sayings[0].text);
    c->n_sayings--;
    memmove(c->sayings, c->sayings + 1, c->n_sayings * sizeof(c->sayings[0]));
}

/* The first of the sayings is out, or was cut off. */
static void said(struct vapi_call *c, bool whole)
{
    const char *text = c->n_sayings ? c->sayings[0].text : "";
    bool last = c->n_sayings && c->sayings[0].last && whole;

    free(c->speech);
    c->speech = NULL;
    c->characters += (unsigned)strlen(text);
    c->completion_tokens += (unsigned)strlen(text) / 4 + 1;
    vapi_call_message(c, "bot", text, c->said_from_ms);
    vapi_note(c->d, "said",
              json_pack("{s:s, s:s, s:b}", "call", c->id, "text", text, "whole", whole));
    tell_transcript(c, "assistant", text);
    tell_speech(c, "stopped", "assistant");
    drop_saying(c);
    c->turn++;
    if (last)
        vapi_call_end(c, "assistant-ended-call");
}

static void heard(struct vapi_call *c, const struct job *j);

static void job_run(void *arg)
{
    struct job *j = arg;

    if (!j->text)
        j->index = recogniser_best(openai_script_ears(j->c->d->script), j->pcm.pcm, j->pcm.n, NULL);
    else if (sound_say(&j->pcm, j->text, voice_name))
        j->pcm = (struct sound){0};
}

static void job_done(void *arg)
{
    struct job *j = arg;
    struct vapi_call *c = j->c;
    struct vapi_double *d = c->d;

    d->jobs--;
    if (j->text)
        c->making = false;
    if (!d->stopped && vapi_call_live(c)) {
        if (!j->text)
            heard(c, j);
        else if (c->n_sayings && strcmp(c->sayings[0].text, j->text) == 0)
            take_speech(c, &j->pcm);
    }
    job_free(j);
    vapi_double_free_if_over(d);
}

/* Takes pcm and text. */
static void job_start(struct vapi_call *c, struct sound pcm, char *text, int64_t from_ms)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j) {
        sound_fini(&pcm);
        free(text);
        return;
    }
    *j = (struct job){
        .c = c, .pcm = pcm, .text = text, .begun_ms = now_ms(), .from_ms = from_ms, .index = -1};
    if (loop_work(c->d->loop, job_run, job_done, j))
        job_free(j);
    else
        c->d->jobs++;
}

static void make_speech(struct vapi_call *c)
{
    char *text = strdup(c->sayings[0].text);

    if (!text)
        return;
    c->making = true;
    job_start(c, (struct sound){0}, text, 0);
}

/* What is due of the speech goes out; all of it when bursts are asked for. */
static void send_speech(struct vapi_call *c)
{
    uint64_t due = (now_ms() - c->speech_ms + FRAME_MS) * PER_MS;
    size_t to = c->d->faults.burst || due > c->n_speech ? c->n_speech : (size_t)due / FRAME * FRAME;

    if (to > c->sent && !c->mute)
        vapi_line_audio(c, c->speech + c->sent, to - c->sent, true);
    if (to > c->sent)
        c->sent = to;
    if (now_ms() - c->speech_ms >= c->n_speech / PER_MS)
        said(c, true);
}

static bool is_too_long(const struct vapi_call *c)
{
    json_int_t max = json_integer_value(json_object_get(c->assistant, "maxDurationSeconds"));

    return unix_ms() - c->started_ms > (max ? max : 600) * 1000;
}

static void on_tick(void *arg)
{
    struct vapi_call *c = arg;

    if (is_too_long(c)) {
        vapi_call_end(c, "exceeded-max-duration");
        return;
    }
    if (c->speech)
        send_speech(c);
    else if (c->n_sayings > 0 && !c->making)
        make_speech(c);
    if (vapi_call_live(c))
        loop_timer_in(c->clock, FRAME_MS);
}

void vapi_voice_say(struct vapi_call *c, const char *text, bool last)
{
    char *copy = c->n_sayings < VAPI_SAYINGS_MAX ? strdup(text) : NULL;

    if (copy)
        c->sayings[c->n_sayings++] = (struct vapi_saying){copy, last};
}

void vapi_voice_first(struct vapi_call *c)
{
    const char *text = vapi_text(c->assistant, "firstMessage");

    vapi_voice_say(c, *text ? text : "Hello.", false);
}

/* ---- joining and leaving ---- */

void vapi_voice_start(struct vapi_call *c)
{
    static const struct vad_opts vad = {
        .threshold = 0.5F, .prefix_padding_ms = 300, .silence_duration_ms = ENDPOINT_MS};

    if (c->d->faults.no_join || c->started_ms || !vapi_call_live(c))
        return;
    loop_timer_free(c->clock);
    c->clock = NULL;
    if (ears_new(&c->ears) || loop_timer_new(&c->clock, c->d->loop, on_tick, c)) {
        vapi_call_end(c, "call.in-progress.error-vapifault-worker-died");
        return;
    }
    ears_tune(c->ears, EARS_ULAW, &vad);
    vapi_call_status(c, "in-progress");
    if (strcmp(vapi_text(c->assistant, "firstMessageMode"), "assistant-waits-for-user") != 0)
        vapi_voice_first(c);
    loop_timer_in(c->clock, FRAME_MS);
}

void vapi_voice_stop(struct vapi_call *c)
{
    loop_timer_free(c->clock);
    c->clock = NULL;
    free(c->speech);
    c->speech = NULL;
    while (c->n_sayings > 0)
        drop_saying(c);
}

/* ---- listening ---- */

static void interrupt(struct vapi_call *c)
{
    c->interrupted++;
    vapi_line_clear(c);
    vapi_note(c->d, "interrupted",
              json_pack("{s:s, s:i}", "call", c->id, "played_ms", (int)(now_ms() - c->speech_ms)));
    said(c, false);
    while (c->n_sayings > 0)
        drop_saying(c);
    tell(c, "user-interrupted", json_object());
}

static void on_silence(struct vapi_call *c, uint64_t until_ms)
{
    struct sound pcm;
    int64_t from_ms = unix_ms() - (int64_t)(ears_now_ms(c->ears) - c->heard_from_ms);

    tell_speech(c, "stopped", "user");
    if (ears_take(c->ears, &pcm, c->heard_from_ms, until_ms) == 0)
        job_start(c, pcm, NULL, from_ms);
}

void vapi_voice_hear(struct vapi_call *c, const uint8_t *ulaw, size_t n)
{
    enum vad_event event;
    uint64_t at_ms = 0;

    if (!c->ears || !vapi_call_live(c))
        return;
    vapi_line_audio(c, ulaw, n, false);
    if (c->deaf || ears_append(c->ears, ulaw, n))
        return;
    while (vapi_call_live(c) && (event = ears_next(c->ears, &at_ms)) != VAD_NOTHING) {
        if (event == VAD_STOPPED) {
            on_silence(c, at_ms);
            continue;
        }
        c->heard_from_ms = at_ms;
        tell_speech(c, "started", "user");
        if (c->speech)
            interrupt(c);
    }
}

/* ---- answering ---- */

/* One that Vapi has built in, under either name, unless the assistant has a function that is called so. */
static bool is_built_in(const struct vapi_call *c, const char *tool, const char *ours,
                        const char *theirs)
{
    return tool && (strcmp(tool, ours) == 0 || strcmp(tool, theirs) == 0) && !vapi_tool(c, tool);
}

static bool ends(const struct vapi_call *c, const char *tool)
{
    return is_built_in(c, tool, "end_call", "endCall");
}

static bool transfers(const struct vapi_call *c, const char *tool)
{
    return is_built_in(c, tool, "transfer_call", "transferCall");
}

/* What the tool's result leads to. */
static void on_result(struct vapi_call *c, const json_t *record, void *arg)
{
    const struct scenario_reply *reply = arg;
    const json_t *one =
        json_array_get(json_object_get(json_object_get(record, "answer"), "results"), 0);
    const char *result = vapi_text(one, "result"),
               *spoken = vapi_text(json_object_get(one, "message"), "content");

    if (!vapi_call_live(c))
        return;
    if (*vapi_text(record, "wrong") || !one) {
        tell(c, "hang", json_object());
        vapi_voice_say(c, "I am sorry, that did not work.", false);
        return;
    }
    json_array_append_new(
        c->messages,
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:f}", "role", "tool_call_result", "toolCallId",
                  vapi_text(one, "toolCallId"), "name", vapi_text(one, "name"), "result",
                  *result ? result : vapi_text(one, "error"), "time", (json_int_t)unix_ms(),
                  "secondsFromStart", (double)(unix_ms() - c->started_ms) / 1000.0));
    if (*spoken)
        vapi_voice_say(c, spoken, false);
    if (reply && reply->then_says)
        vapi_voice_say(c, reply->then_says, ends(c, reply->then_tool));
    else if (!*spoken)
        vapi_voice_say(c, *result ? result : "I am sorry, that did not work.", false);
}

static void on_destination(struct vapi_call *c, const json_t *record, void *arg)
{
    const json_t *destination = json_object_get(json_object_get(record, "answer"), "destination");

    (void)arg;
    if (!vapi_call_live(c))
        return;
    if (!destination || *vapi_text(record, "wrong")) {
        vapi_voice_say(c, "I am sorry, I cannot reach anybody.", false);
        return;
    }
    vapi_call_status(c, "forwarding");
    vapi_call_end(c, "assistant-forwarded-call");
}

/* A tool without a server of its own is the client's, where there is one that wants to hear of it: what comes of
 * it is told by add-message. */
static bool is_for_client(const struct vapi_call *c, const char *tool)
{
    return !ends(c, tool) && vapi_line_has_client(c) && vapi_is_for_client(c, "tool-calls") &&
           !json_object_get(vapi_tool(c, tool), "server");
}

static void ask_client(struct vapi_call *c, const struct scenario_reply *reply)
{
    char id[VAPI_TOOL_ID];
    json_t *fields;

    vapi_tool_id(id);
    fields =
        vapi_tool_fields("openapi", id, reply->tool, reply->arguments ? reply->arguments : "{}");
    c->asked = reply;
    vapi_line_tell(c, "tool-calls", fields);
    json_decref(fields);
}

static void use_tool(struct vapi_call *c, const struct scenario_reply *reply)
{
    if (transfers(c, reply->tool))
        vapi_hook(c, "transfer-destination-request", NULL, on_destination, NULL);
    else if (ends(c, reply->tool) && !reply->says)
        vapi_call_end(c, "assistant-ended-call");
    else if (is_for_client(c, reply->tool))
        ask_client(c, reply);
    else if (!ends(c, reply->tool))
        vapi_hook_tool(c, "openapi", reply->tool, reply->arguments ? reply->arguments : "{}",
                       on_result, (void *)reply);
}

static void answer(struct vapi_call *c, const struct scenario_reply *reply)
{
    if (!reply) {
        vapi_voice_say(c, "I did not get that. Could you say it again?", false);
        return;
    }
    if (reply->says)
        vapi_voice_say(c, reply->says, ends(c, reply->tool));
    if (reply->tool)
        use_tool(c, reply);
}

static void heard(struct vapi_call *c, const struct job *j)
{
    const char *text = j->index < 0 ? "(not understood)"
                                    : recogniser_text(openai_script_ears(c->d->script), j->index);
    double listening = (double)(now_ms() - j->begun_ms);

    c->cue = openai_script_heard(c->d->script, j->index, c->cue, "");
    if (c->cue.reply && c->cue.reply->hears)
        text = c->cue.reply->hears;
    c->prompt_tokens += 400 + 40 * c->turn;
    json_array_append_new(c->latencies,
                          json_pack("{s:f, s:f, s:f, s:f, s:f}", "modelLatency", 420.0,
                                    "voiceLatency", 180.0, "transcriberLatency", listening,
                                    "endpointingLatency", (double)ENDPOINT_MS, "turnLatency",
                                    600.0 + listening + ENDPOINT_MS));
    vapi_note(c->d, "heard", json_pack("{s:s, s:s}", "call", c->id, "text", text));
    vapi_call_message(c, "user", text, j->from_ms);
    tell_transcript(c, "user", text);
    tell(c, "conversation-update",
         json_pack("{s:O, s:o}", "messages", c->messages, "messagesOpenAIFormatted",
                   vapi_conversation(c)));
    answer(c, j->index < 0 ? NULL : c->cue.reply);
}

/* What the caller said last, if nobody has answered it; "": nothing. */
static const char *unanswered(const struct vapi_call *c)
{
    for (size_t i = json_array_size(c->messages); i > 0; i--) {
        const json_t *one = json_array_get(c->messages, i - 1);
        const char *role = vapi_text(one, "role");
        if (strcmp(role, "user") == 0)
            return vapi_text(one, "message");
        if (strcmp(role, "bot") == 0)
            break;
    }
    return "";
}

/* To what was written: a tool's result goes first, then what the scenarios say to it, or to the caller's own words
 * before it. */
void vapi_voice_respond(struct vapi_call *c, const char *content)
{
    const struct scenario_reply *asked = c->asked;
    const char *caller = unanswered(c);
    struct openai_cue cue = openai_script_read(c->d->script, content, c->cue, content);

    c->asked = NULL;
    if (!cue.reply && *caller)
        cue = openai_script_read(c->d->script, caller, c->cue, content);
    if (asked && asked->then_says) {
        vapi_voice_say(c, asked->then_says, ends(c, asked->then_tool));
    } else if (cue.reply) {
        c->cue = cue;
        answer(c, cue.reply);
    }
}
