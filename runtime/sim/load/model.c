/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - the model's side of one call. In `talk`: a session that talks for 2 s, pauses for 1 s,
 * and is cut in upon in every second turn, by a caller who then speaks until the next and is
 * understood. In `pass`: one response that never ends, 20 ms at a time. A leg knows its call by the
 * stamps of the audio it hears; one that has heard none yet is a warm connection, or still
 * connecting. */
#include "base/err.h"
#include "sim/load/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLER_WORDS                                                                           \
    "Good morning, I wanted to ask whether somebody could come and look at the heating, it's " \
    "not warm since yesterday evening, but nobody is hurt and nothing burns."

#define SESSION(type, id)                                                                  \
    "{\"type\":\"" type "\",\"event_id\":\"" id "\",\"session\":{\"type\":\"realtime\","   \
    "\"object\":\"realtime.session\",\"id\":\"sess_load\",\"model\":\"gpt-realtime-2.1\"," \
    "\"expires_at\":4102444800}}"

enum {
    DELTAS_PER_TURN = 10,
    CUT_AFTER = 5,
    PAUSE = LOAD_FRAMES_A_SECOND,
    LISTEN = 15 * LOAD_FRAMES_A_SECOND,
    DELTA = 10, /* visits: 200 ms */
    CLEAR_WAIT_US = 1000000,
    DETECTED_MS = 300, /* after it began */
    UNRULY_TOOLS = 40,
    AUDIO_MAX = 16384
};

/* One connection of the node. */
struct leg {
    struct load *load;
    struct load_call *call; /* NULL until a stamp was heard */
    uint64_t bytes;         /* heard before the call was known */
    bool open, asked;       /* asked: for a response, before the call was known */
};

static void say(struct wire_conn *w, const char *text)
{
    wire_ws_send(w, text, strlen(text), false);
}

/* --- hearing --- */

static void talk(struct load_call *c, uint64_t now_us);

/* The opening is asked for: its first words come at once. */
static void answer(struct load_call *c)
{
    if (c->turn > 0 || !c->up || c->quiet || c->load->silent_us)
        return;
    c->wait = 0;
    if (c->profile != LOAD_PASS)
        talk(c, monotonic_us());
}

static struct load_call *call_of(struct leg *leg, struct wire_conn *w, const struct load_stamp *s)
{
    struct load *l = leg->load;
    struct load_call *c;

    if (s->call >= l->o.calls + l->o.n_unruly + l->o.n_beyond || l->calls[s->call].life != s->life)
        return NULL;
    c = &l->calls[s->call];
    if (!leg->call && !c->over) {
        leg->call = c;
        c->model = w;
        c->wait = c->number * 104729u % 100; /* 2 s */
        if (c->disturbed)
            l->report.models_back++;
        else if (leg->asked)
            answer(c);
    }
    return leg->call == c ? c : NULL;
}

static void on_stamp(struct leg *leg, struct wire_conn *w, const struct load_stamp *s,
                     uint64_t now_us)
{
    struct load_call *c = call_of(leg, w, s);

    if (!c)
        return;
    c->bytes_arrived = leg->bytes;
    if (c->disturbed)
        return;
    load_order_see(&c->up_order, s->seq);
    /* What was kept while the session was set up came late for a reason; it is not the node's
     * delay. */
    if (c->kind == LOAD_COUNTS && c->load->measure_us && s->at_us >= c->load->measure_us)
        load_observe(&c->load->report.up, now_us - s->at_us);
}

/* Several frames in one message: each begins with its stamp, wherever its base64 begins. */
static void on_many(struct leg *leg, struct wire_conn *w, const char *audio, size_t chars,
                    uint64_t now_us)
{
    static uint8_t sound[AUDIO_MAX];
    size_t n = load_base64_read(sound, sizeof(sound), audio, chars);
    struct load_stamp s;

    for (size_t at = 0; at + LOAD_STAMP_BYTES <= n; at += LOAD_FRAME_BYTES)
        if (load_stamp_read_bytes(sound + at, &s))
            on_stamp(leg, w, &s, now_us);
}

static void on_audio(struct leg *leg, struct wire_conn *w, const char *audio, size_t n)
{
    const char *end = memchr(audio, '"', n);
    size_t chars = end ? (size_t)(end - audio) : 0;
    uint64_t bytes = chars / 4 * 3, now_us = monotonic_us();
    struct load_stamp s;

    if (chars >= 2 && end[-1] == '=')
        bytes -= end[-2] == '=' ? 2 : 1;
    leg->bytes += bytes;
    if (chars > LOAD_FRAME_CHARS)
        on_many(leg, w, audio, chars, now_us);
    else if (chars >= LOAD_STAMP_CHARS && load_stamp_read(audio, &s))
        on_stamp(leg, w, &s, now_us);
    if (leg->call)
        leg->call->bytes_arrived = leg->bytes;
}

/* The output of a function call came back. */
static void on_output(struct load_call *c)
{
    if (c->tool_us && c->kind == LOAD_COUNTS && c->load->measure_us &&
        c->tool_us >= c->load->measure_us)
        load_observe(&c->load->report.tool, monotonic_us() - c->tool_us);
    c->tool_us = 0;
}

static char *find(const struct wire_message *m, size_t near, const char *what, size_t n)
{
    return memmem(m->p, m->n < near ? m->n : near, what, n);
}

#define FIND(m, near, what) find(m, near, what, sizeof(what) - 1)

static void on_message(struct leg *leg, struct wire_conn *w, const struct wire_message *m)
{
    char *audio;

    if (m->op == 9) {
        wire_ws_pong(w, m, false);
    } else if ((audio = FIND(m, 200, "\"audio\":\"")) && FIND(m, 64, "append")) {
        on_audio(leg, w, audio + 9, m->n - (size_t)(audio + 9 - m->p));
    } else if (leg->load->o.relay && (audio = FIND(m, 320, "\"payload\":\""))) {
        on_audio(leg, w, audio + 11, m->n - (size_t)(audio + 11 - m->p));
    } else if (leg->call && FIND(m, m->n, "function_call_output")) {
        on_output(leg->call);
    } else if (FIND(m, 64, "response.create")) {
        leg->asked = true;
        if (leg->call)
            answer(leg->call);
    } else if (FIND(m, 64, "session.update")) {
        say(w, SESSION("session.updated", "e1"));
    }
}

static size_t on_bytes(struct wire_conn *w, char *p, size_t n, void *arg)
{
    struct leg *leg = arg;
    struct wire_message m;
    size_t used = 0, size;

    if (!leg->open) {
        used = wire_head(p, n);
        if (!used || !wire_ws_accept(w, p, used))
            return 0;
        leg->open = true;
        say(w, SESSION("session.created", "e0"));
    }
    while ((size = wire_ws_read(p + used, n - used, &m)) > 0) {
        used += size;
        on_message(leg, w, &m);
    }
    return used;
}

static void on_closed(struct wire_conn *w, void *arg)
{
    struct leg *leg = arg;

    if (leg->call && leg->call->model == w)
        leg->call->model = NULL;
    free(leg);
}

static const struct wire_handlers handlers = {.bytes = on_bytes, .closed = on_closed};

/* --- turns --- */

static void hear_caller(struct load_call *c)
{
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"e\",\"item_id\":\"u%u\","
        "\"previous_item_id\":null}",
        c->turn);
    say(c->model, text);
    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"conversation.item.input_audio_transcription.completed\",\"event_id\":"
        "\"e\",\"item_id\":\"u%u\",\"content_index\":0,\"transcript\":\"" CALLER_WORDS
        "\",\"usage\":{\"type\":\"duration\",\"seconds\":2}}",
        c->turn);
    say(c->model, text);
}

static void begin_turn(struct load_call *c)
{
    char text[512];

    c->turn++;
    if (c->load->o.work || c->profile == LOAD_TOOL)
        hear_caller(c);
    c->deltas_left = DELTAS_PER_TURN;
    c->step = 0;
    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"response.created\",\"event_id\":\"e\",\"response\":{\"id\":\"r%u\",\"object\":"
        "\"realtime.response\",\"status\":\"in_progress\",\"conversation_id\":\"c\",\"output\":[]}"
        "}",
        c->turn);
    say(c->model, text);
}

static void call_function(struct load_call *c, const char *name, unsigned n)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"response.function_call_arguments.done\",\"event_id\":\"e\","
                   "\"response_id\":\"r%u\",\"item_id\":\"f%u.%u\",\"output_index\":%u,\"call_id\":"
                   "\"c%u.%u\",\"name\":\"%s\",\"arguments\":\"{}\"}",
                   c->turn, c->turn, n, n + 1, c->turn, n, name);
    say(c->model, text);
}

static void work(struct load_call *c)
{
    if (c->kind == LOAD_UNRULY) {
        for (unsigned i = 0; i < UNRULY_TOOLS; i++)
            call_function(c, "unruly", i);
    } else if ((c->load->o.work || c->profile == LOAD_TOOL) && !c->tool_us) {
        c->tool_us = monotonic_us();
        call_function(c, "steady", 0);
    }
}

static void end_turn(struct load_call *c, const char *status)
{
    char text[512];

    c->deltas_left = 0;
    c->wait = c->profile == LOAD_LISTEN ? LISTEN : PAUSE;
    if (c->turn == 1) /* they all began when they were asked to; from here on they differ */
        c->wait += c->number * 104729u % 100;
    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"response.output_audio.done\",\"event_id\":\"e\",\"response_id\":"
                   "\"r%u\",\"item_id\":"
                   "\"i%u\",\"output_index\":0,\"content_index\":0}",
                   c->turn, c->turn);
    say(c->model, text);
    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"response.done\",\"event_id\":\"e\",\"response\":{\"id\":\"r%u\",\"object\":"
        "\"realtime.response\",\"status\":\"%s\",\"conversation_id\":\"c\",\"output\":[],\"usage\":"
        "null}}",
        c->turn, status);
    say(c->model, text);
}

static void send_delta(struct load_call *c, size_t chars, uint64_t now_us)
{
    static char frame[WIRE_HEADER_MAX + 256 + LOAD_DELTA_CHARS + 8];
    static const char end[] = {'w', '=', '=', '"', '}'};
    struct load_stamp stamp = {c->number, c->life, c->down_seq, now_us};
    char *begin = frame + WIRE_HEADER_MAX, *sound;
    size_t head, n;

    n = (size_t)snprintf(
        begin, 256,
        "{\"type\":\"response.output_audio.delta\",\"event_id\":\"e\",\"response_id\":\"r%"
        "u\",\"item_id\":\"i%u\","
        "\"output_index\":0,\"content_index\":0,\"delta\":\"",
        c->turn, c->turn);
    sound = begin + n;
    load_stamp_write(sound, &stamp);
    memset(sound + LOAD_STAMP_CHARS, '/', chars - LOAD_STAMP_CHARS - 3);
    memcpy(sound + chars - 3, end, sizeof(end));
    n += chars + 2;
    head = wire_ws_header(begin, n, 1, false);
    wire_send(c->model, begin - head, head + n);
    c->down_seq++;
    c->load->report.deltas_sent += c->kind == LOAD_COUNTS;
}

/* Where in the caller's sound we are. */
static unsigned long long now_ms(const struct load_call *c)
{
    return c->bytes_arrived / 8;
}

static void tell_turn(struct load_call *c, const char *type, unsigned long long at_ms)
{
    char text[256];

    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"%s\",\"event_id\":\"e\",\"audio_start_ms\":%llu,\"audio_end_ms\":%llu,"
        "\"item_id\":\"u%u\",\"content_index\":0,\"transcript\":\"And on Sunday?\"}",
        type, at_ms, at_ms, c->turn);
    say(c->model, text);
}

/* The delta right before may be cut off by it, for it stands in front of the clear. */
static void cut_in(struct load_call *c)
{
    c->load->report.barge_ins += c->kind == LOAD_COUNTS;
    c->caller_speaks = true;
    c->cut_seq = c->down_seq;
    c->speech_us = monotonic_us();
    tell_turn(c, "input_audio_buffer.speech_started",
              now_ms(c) > DETECTED_MS ? now_ms(c) - DETECTED_MS : 0);
    end_turn(c, "cancelled");
}

static void understand(struct load_call *c)
{
    c->caller_speaks = false;
    tell_turn(c, "input_audio_buffer.speech_stopped", now_ms(c));
    tell_turn(c, "input_audio_buffer.committed", 0);
    tell_turn(c, "conversation.item.input_audio_transcription.completed", 0);
}

static bool is_cut(const struct load_call *c)
{
    if (c->profile == LOAD_BARGE)
        return true;
    return c->profile == LOAD_TALK && c->turn % 2 == 0;
}

static void talk(struct load_call *c, uint64_t now_us)
{
    if (c->deltas_left == 0) {
        if (c->wait > 0) {
            c->wait--;
            return;
        }
        if (c->caller_speaks)
            understand(c);
        begin_turn(c);
    }
    if (c->step > 0) {
        c->step--;
        return;
    }
    send_delta(c, LOAD_DELTA_CHARS, now_us);
    c->step = DELTA - 1;
    if (is_cut(c) && c->deltas_left == DELTAS_PER_TURN - CUT_AFTER) {
        cut_in(c);
    } else if (--c->deltas_left == 0) {
        work(c);
        end_turn(c, "completed");
    }
}

void load_model_visit(struct load_call *c, uint64_t now_us)
{
    if (!c->model || !c->up || c->over)
        return;
    if (c->speech_us && now_us > c->speech_us + CLEAR_WAIT_US) {
        c->load->report.clears_missed += c->kind == LOAD_COUNTS;
        c->speech_us = 0;
    }
    if (c->load->silent_us || c->quiet)
        return;
    if (c->profile != LOAD_PASS) {
        talk(c, now_us);
        return;
    }
    if (c->turn == 0)
        begin_turn(c);
    send_delta(c, LOAD_FRAME_CHARS, now_us);
}

/* --- listening --- */

static void on_accepted(struct wire_conn *w, void *arg)
{
    struct leg *leg = calloc(1, sizeof(*leg));

    if (!leg) {
        wire_close(w);
        return;
    }
    leg->load = arg;
    wire_handle(w, &handlers, leg);
}

int load_model_start(struct load *l, int fd)
{
    return wire_listen(l->wire, fd, l->model_tls, on_accepted, l);
}

/* The provider goes away in the middle of a call. */
void load_model_drop(struct load_call *c)
{
    struct wire_conn *w = c->model;

    if (!w)
        return;
    c->model = NULL;
    c->disturbed = true;
    c->speech_us = 0;
    c->load->report.models_cut++;
    wire_hang_up(w);
}
