/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - the model's side of one call: a session that talks for 2 s, pauses for 1 s, and is
 * cut in upon in every second turn, by a caller who then speaks until the next and is understood. A leg knows its call by the stamps of the audio it hears; one
 * that has heard none yet is a warm connection, or still connecting. */
#include "base/err.h"
#include "sim/load/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLER_WORDS                                                                           \
    "Good morning, I wanted to ask whether somebody could come and look at the heating, it's " \
    "not warm since yesterday evening, but nobody is hurt and nothing burns."

enum {
    DELTAS_PER_TURN = 10,
    CUT_AFTER = 5,
    PAUSE_US = 1000000,
    DELTA_US = 200000,
    CLEAR_WAIT_US = 1000000,
    DETECTED_MS = 300, /* after it began */
    UNRULY_TOOLS = 40
};

/* One connection of the node. */
struct leg {
    struct load *load;
    struct ws *ws;
    struct load_call *call; /* NULL until a stamp was heard */
    uint64_t bytes;         /* heard before the call was known */
};

static void say(struct ws *w, const char *text)
{
    (void)ws_send(w, text, strlen(text));
}

static void on_open(struct ws *w, void *arg)
{
    struct leg *leg = arg;

    leg->ws = w;
    say(w, "{\"type\":\"session.created\",\"event_id\":\"e0\",\"session\":{\"type\":\"realtime\","
           "\"object\":"
           "\"realtime.session\",\"id\":\"sess_load\",\"model\":\"gpt-realtime-2.1\",\"expires_"
           "at\":4102444800}}");
}

static void on_audio(struct leg *leg, const char *audio, size_t n_left)
{
    const char *end = memchr(audio, '"', n_left);
    size_t chars = end ? (size_t)(end - audio) : 0;
    uint64_t bytes = chars / 4 * 3, at_us;
    uint32_t number;

    if (chars >= 2 && end[-1] == '=')
        bytes -= end[-2] == '=' ? 2 : 1;
    leg->bytes += bytes;
    if (chars < LOAD_STAMP_CHARS || !load_read_stamp(audio, &number, &at_us) ||
        number >= leg->load->o.calls + leg->load->o.n_unruly)
        return;
    if (!leg->call) {
        leg->call = &leg->load->calls[number];
        leg->call->model = leg->ws;
        leg->call->next_turn_us = clock_us(loop_clock()) + (number * 104729u % 2000) * 1000;
    }
    leg->call->bytes_arrived = leg->bytes;
    /* What was kept while the session was set up came late for a reason; it is not the node's
     * delay. */
    if (!leg->call->unruly && leg->load->all_up_us && at_us > leg->load->all_up_us)
        load_observe(&leg->load->report.up, clock_us(loop_clock()) - at_us);
}

/* The output of a function call came back. */
static void on_output(struct load_call *c)
{
    if (c->tool_us && !c->unruly)
        load_observe(&c->load->report.tool, clock_us(loop_clock()) - c->tool_us);
    c->tool_us = 0;
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    static const char append[] = "\"audio\":\"";
    char *audio = memmem(msg, n < 200 ? n : 200, append, sizeof(append) - 1);
    struct leg *leg = arg;

    if (audio && memmem(msg, n < 64 ? n : 64, "append", 6)) {
        audio += sizeof(append) - 1;
        on_audio(leg, audio, n - (size_t)(audio - msg));
    } else if (leg->call && memmem(msg, n, "function_call_output", 20)) {
        on_output(leg->call);
    } else if (memmem(msg, n < 64 ? n : 64, "session.update", 14)) {
        say(w, "{\"type\":\"session.updated\",\"event_id\":\"e1\",\"session\":{\"type\":"
               "\"realtime\",\"object\":"
               "\"realtime.session\",\"id\":\"sess_load\",\"model\":\"gpt-realtime-2.1\",\"expires_"
               "at\":4102444800}}");
    }
}

static void on_closed(struct ws *w, const struct ws_closed *why, void *arg)
{
    struct leg *leg = arg;

    (void)w;
    (void)why;
    if (leg->call && leg->call->model == leg->ws)
        leg->call->model = NULL;
    free(leg);
}

static const struct ws_handlers handlers = {.open = on_open, .text = on_text, .closed = on_closed};

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

static void begin_turn(struct load_call *c, uint64_t now_us)
{
    char text[512];

    c->turn++;
    if (c->load->o.work)
        hear_caller(c);
    c->deltas_left = DELTAS_PER_TURN;
    c->next_delta_us = now_us;
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
    if (c->unruly) {
        for (unsigned i = 0; i < UNRULY_TOOLS; i++)
            call_function(c, "unruly", i);
    } else if (c->load->o.work && !c->tool_us) {
        c->tool_us = clock_us(loop_clock());
        call_function(c, "steady", 0);
    }
}

static void end_turn(struct load_call *c, const char *status, uint64_t now_us)
{
    char text[512];

    c->deltas_left = 0;
    c->next_turn_us = now_us + PAUSE_US;
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

static void finish_turn(struct load_call *c, uint64_t now_us)
{
    work(c);
    end_turn(c, "completed", now_us);
}

static void send_delta(struct load_call *c)
{
    char head[192], sound[LOAD_DELTA_CHARS + 1];
    struct iovec iov[3];
    int n;

    memset(sound, '/', LOAD_DELTA_CHARS);
    memcpy(sound + LOAD_DELTA_CHARS - 3, "w==", 4);
    load_stamp(sound, c->number, clock_us(loop_clock()));
    n = snprintf(head, sizeof(head),
                 "{\"type\":\"response.output_audio.delta\",\"event_id\":\"e\",\"response_id\":\"r%"
                 "u\",\"item_id\":\"i%u\","
                 "\"output_index\":0,\"content_index\":0,\"delta\":\"",
                 c->turn, c->turn);
    iov[0] = (struct iovec){head, (size_t)n};
    iov[1] = (struct iovec){sound, LOAD_DELTA_CHARS};
    iov[2] = (struct iovec){"\"}", 2};
    if (ws_sendv(c->model, iov, 3) == 0)
        c->load->report.deltas_sent += !c->unruly;
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

static void cut_in(struct load_call *c, uint64_t now_us)
{
    c->load->report.barge_ins += !c->unruly;
    c->speech_us = clock_us(loop_clock());
    c->caller_speaks = true;
    tell_turn(c, "input_audio_buffer.speech_started",
              now_ms(c) > DETECTED_MS ? now_ms(c) - DETECTED_MS : 0);
    end_turn(c, "cancelled", now_us);
}

static void understand(struct load_call *c)
{
    c->caller_speaks = false;
    tell_turn(c, "input_audio_buffer.speech_stopped", now_ms(c));
    tell_turn(c, "input_audio_buffer.committed", 0);
    tell_turn(c, "conversation.item.input_audio_transcription.completed", 0);
}

void load_model_tick(struct load_call *c, uint64_t now_us)
{
    if (!c->model || !c->up || c->over)
        return;
    if (c->speech_us && now_us > c->speech_us + CLEAR_WAIT_US) {
        c->load->report.clears_missed += !c->unruly;
        c->speech_us = 0;
    }
    if (c->load->silent)
        return;
    if (c->deltas_left == 0 && now_us >= c->next_turn_us) {
        if (c->caller_speaks)
            understand(c);
        begin_turn(c, now_us);
    }
    while (c->deltas_left > 0 && now_us >= c->next_delta_us) {
        send_delta(c);
        c->next_delta_us += DELTA_US;
        if (c->turn % 2 == 0 && c->deltas_left == DELTAS_PER_TURN - CUT_AFTER)
            cut_in(c, now_us);
        else if (--c->deltas_left == 0)
            finish_turn(c, now_us);
    }
}

/* --- listening --- */

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    struct leg *leg = calloc(1, sizeof(*leg));

    (void)r;
    if (!leg)
        return 503;
    leg->load = arg;
    *accept = (struct ws_accept){.handlers = &handlers, .arg = leg, .max_message = 1 << 20};
    return 0;
}

static void on_request(struct http_request *r, void *arg)
{
    (void)arg;
    http_reply(r, 404, "text/plain", RD_STR("only WebSocket upgrades here\n"));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static const struct http_handlers http = {
    .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};

int load_model_start(struct load *l, int fd)
{
    struct http_server_opts o = {
        .loop = l->o.loop, .handlers = &http, .arg = l, .max_connections = 4096};

    return listener_start(&l->listener, &o, fd);
}

void load_model_stop(struct load *l)
{
    listener_stop(l->listener);
    l->listener = NULL;
}
