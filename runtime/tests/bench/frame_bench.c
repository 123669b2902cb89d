/* SPDX-License-Identifier: Apache-2.0 */
/* frame_bench - the way of audio through one call, again and again with the same bytes, so that it can be
 * counted in instructions instead of time: those are the same on a busy machine.
 *
 *   Twilio's end of a socket ⇄ stream.c ⇄ call/ ⇄ session.c ⇄ OpenAI's end of a socket
 *
 * Everything between the two ends is the node's own code, from epoll_wait() to send(). The ends are played
 * here, outside of what is counted. Under valgrind --tool=callgrind each phase is a dump of its own, which
 * scripts/instructions reads; without it, the phases just run. Prints how often each was run. Exit 1 when
 * what comes out is not what should.
 *
 *   stream     upgrade, `start`, a session dialled and updated: until audio may flow, and the end
 *   up         a caller's frame to the model
 *   down       200 ms of the model's audio to the caller, with its mark
 *   mark       the mark's echo
 *   frame      a WebSocket frame decoded, nothing else */
#include "bench/counted.h"
#include "bench/peer.h"
#include "call/call.h"
#include "carriers/twilio/stream.h"
#include "io/http_server.h"
#include "io/loop.h"
#include "io/ws_codec.h"
#include "providers/openai/openai.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    WAIT_MS = 100,
    PATIENCE = 200,
    STREAMS = 20,
    FRAMES = 1000,
    DELTA_CHARS = 2136,
    FRAME_CHARS = 216
};

#define SID "CA00000000000000000000000000000001"
#define MZ  "MZ00000000000000000000000000000001"

static struct brief brief = {.agent = "bench",
                             .version = "1",
                             .system = "",
                             .other = "",
                             .model = "",
                             .voice = "marin",
                             .instructions = "Be brief.",
                             .language = "en",
                             .tools_json = "[]",
                             .opening = "",
                             .notice = "",
                             .still_there = "",
                             .silence_bye = "",
                             .moment = "",
                             .time_up = "",
                             .vapi_assistant = "",
                             .vapi_variables = "",
                             .vapi_tools = "",
                             .vad_silence_ms = 500,
                             .vad_threshold = 0.5};

/* One call and its two ends. */
struct line {
    struct loop *loop;
    struct http_server *http;
    struct openai_pool *openai;
    struct carrier_leg *leg;
    struct call *call;
    struct peer caller, model;
    int door; /* the model listens here */
    bool ended;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "frame_bench: %s\n", what);
    exit(1);
}

/* --- what surrounds a call --- */

static int on_agent(void *arg, const struct agent_event *e)
{
    (void)arg;
    (void)e;
    return 0;
}

static void on_record(void *arg, const struct record *r)
{
    (void)arg;
    (void)r;
}

static void on_timer(void *arg, uint64_t at_ms)
{
    (void)arg;
    (void)at_ms;
}

static void on_awake(void *arg)
{
    (void)arg;
}

static void on_closing(void *arg, enum call_end_reason why)
{
    (void)arg;
    (void)why;
}

static void on_ended(void *arg, enum call_end_reason why)
{
    struct line *l = arg;

    (void)why;
    l->ended = true;
    l->call = NULL;
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    struct line *l = arg;
    struct openai_session session = {.brief = &brief, .call_sid = SID};
    struct provider_leg *provider = NULL;
    struct call_opts o = {.call_sid = SID,
                          .brief = &brief,
                          .clock = loop_clock(),
                          .carrier_ops = &twilio_carrier,
                          .agent = on_agent,
                          .record = on_record,
                          .timer = on_timer,
                          .closing = on_closing,
                          .ended = on_ended,
                          .arg = l};

    (void)r;
    must(twilio_stream_new(&l->leg, l->loop, NULL, NULL) == 0, "no leg");
    o.carrier = l->leg;
    must(call_new(&l->call, &o) == 0, "no call");
    twilio_stream_set_events(l->leg, &call_carrier_events, l->call);
    must(openai_open(&provider, l->openai, &session, &call_provider_events, l->call) == 0,
         "no session");
    call_set_provider(l->call, &openai_provider, provider);
    twilio_stream_accept(l->leg, accept);
    return 0;
}

static void on_request(struct http_request *r, void *arg)
{
    (void)arg;
    http_reply(r, 404, NULL, RD_STR(""));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static const struct http_handlers http_handlers = {
    .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};

/* --- its beginning and end --- */

/* The second is for the flush, which belongs to the beginning of libuv's next turn. */
static void two_turns(uv_loop_t *uv)
{
    (void)uv_run(uv, UV_RUN_NOWAIT);
    (void)uv_run(uv, UV_RUN_NOWAIT);
}

static COUNTED int count_turn(uv_loop_t *uv)
{
    two_turns(uv);
    return 0;
}

/* One turn, once there is something to do. The kernel may take its time even on loopback; waiting for it is
 * not counted. */
static void turn(struct line *l, bool counted)
{
    struct pollfd ready = {.fd = uv_backend_fd(loop_uv(l->loop)), .events = POLLIN};

    (void)poll(&ready, 1, WAIT_MS);
    if (counted)
        (void)count_turn(loop_uv(l->loop));
    else
        two_turns(loop_uv(l->loop));
}

/* Turns of the loop until there is something at this end. */
static void turn_until(struct line *l, struct peer *p)
{
    for (int i = 0; i < PATIENCE && !peer_has(p); i++)
        turn(l, true);
    must(peer_has(p), "nothing came");
}

static void begin(struct line *l)
{
    static const char upgrade[] = "GET /twilio/stream/x HTTP/1.1\r\nHost: example.com\r\n"
                                  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n";
    static const char start[] =
        "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"streamSid\":\"" MZ
        "\",\"start\":{\"accountSid\":\"AC00000000000000000000000000000001\",\"streamSid\":\"" MZ
        "\",\"callSid\":\"" SID "\",\"tracks\":[\"inbound\"],\"mediaFormat\":{\"encoding\":"
        "\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1},\"customParameters\":{}}}";
    static const char updated[] =
        "{\"type\":\"session.updated\",\"event_id\":\"e1\",\"session\":{\"type\":\"realtime\","
        "\"id\":\"sess_1\",\"expires_at\":4102444800}}";

    must(http_server_adopt(l->http, peer_pair(&l->caller)) == 0, "no socket");
    peer_say(&l->caller, upgrade, sizeof(upgrade) - 1);
    turn_until(l, &l->caller);
    (void)peer_hear(&l->caller, "101 Switching");
    peer_frame(&l->caller, "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}");
    peer_frame(&l->caller, start);
    for (int i = 0; i < PATIENCE && !peer_accept(&l->model, l->door); i++)
        turn(l, true);
    turn_until(l, &l->model);
    peer_answer_upgrade(&l->model);
    turn_until(l, &l->model);
    (void)peer_hear(&l->model, NULL);
    peer_frame(&l->model, updated);
    turn(l, true);
}

static void end(struct line *l)
{
    peer_frame(&l->caller, "{\"event\":\"stop\",\"sequenceNumber\":\"9\",\"streamSid\":\"" MZ
                           "\",\"stop\":{\"callSid\":\"" SID "\"}}");
    turn(l, true);
    peer_close(&l->caller);
    peer_close(&l->model);
    for (int i = 0; i < PATIENCE && !l->ended; i++)
        turn(l, true);
    must(l->ended, "the call did not end");
    turn(l, true);
    l->ended = false;
}

/* --- the phases --- */

static void streams(struct line *l)
{
    begin(l); /* what is only once in a process */
    end(l);
    phase_begins();
    for (int i = 0; i < STREAMS; i++) {
        begin(l);
        end(l);
    }
    phase_ends("stream", STREAMS);
}

static void up(struct line *l)
{
    char sound[FRAME_CHARS + 1], text[640];

    memset(sound, '/', FRAME_CHARS);
    memcpy(sound + FRAME_CHARS - 3, "w==", 4);
    phase_begins();
    for (int i = 0; i < FRAMES; i++) {
        (void)snprintf(text, sizeof(text),
                       "{\"event\":\"media\",\"sequenceNumber\":\"%d\",\"streamSid\":\"" MZ
                       "\",\"media\":{\"track\":\"inbound\",\"chunk\":\"%d\",\"timestamp\":\"%d\","
                       "\"payload\":\"%s\"}}",
                       i + 2, i + 1, i * 20, sound);
        peer_frame(&l->caller, text);
        turn(l, true);
        must(peer_hear(&l->model, NULL) > FRAME_CHARS, "a frame was lost");
    }
    phase_ends("up", FRAMES);
}

/* Both together, because a mark is only taken for audio that was sent; one of them is counted. */
static void down(struct line *l, bool marks)
{
    char sound[DELTA_CHARS + 1], text[DELTA_CHARS + 256], name[64], echo[256];

    memset(sound, '/', DELTA_CHARS);
    memcpy(sound + DELTA_CHARS - 3, "w==", 4);
    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"response.output_audio.delta\",\"event_id\":\"e\",\"response_id\":"
        "\"r1\",\"item_id\":\"i1\",\"output_index\":0,\"content_index\":0,\"delta\":\"%s\"}",
        sound);
    phase_begins();
    for (int i = 0; i < FRAMES; i++) {
        peer_frame(&l->model, text);
        turn(l, !marks);
        must(peer_last_mark(&l->caller, name, sizeof(name)), "no mark");
        (void)snprintf(echo, sizeof(echo),
                       "{\"event\":\"mark\",\"sequenceNumber\":\"%d\",\"streamSid\":\"" MZ
                       "\",\"mark\":{\"name\":\"%s\"}}",
                       i + 2, name);
        peer_frame(&l->caller, echo);
        turn(l, marks);
    }
    phase_ends(marks ? "mark" : "down", FRAMES);
}

static COUNTED int count_decode(struct ws_decoder *d, char *at, size_t n, struct ws_event *ev)
{
    return ws_decode(d, &at, &n, ev);
}

static void frame(void)
{
    char payload[400], wire[416], work[416];
    uint32_t mask = 0x5bd1e995;
    struct ws_decoder d;
    struct ws_event ev;
    size_t n;

    memset(payload, 'x', sizeof(payload));
    n = ws_header((uint8_t *)wire, WS_OP_TEXT, sizeof(payload), &mask);
    ws_mask(wire + n, payload, sizeof(payload), mask, 0);
    ws_decoder_init(&d, true, 65536);
    phase_begins();
    for (int i = 0; i < FRAMES; i++) {
        memcpy(work, wire, sizeof(work));
        must(count_decode(&d, work, n + sizeof(payload), &ev) == 1 && ev.n == sizeof(payload),
             "no frame");
    }
    phase_ends("frame", FRAMES);
    ws_decoder_fini(&d);
}

int main(void)
{
    struct line l = {0};
    struct http_server_opts http = {.handlers = &http_handlers, .arg = &l, .max_connections = 16};
    struct loop_timer *awake;
    char url[64];
    struct openai_opts openai = {
        .url = url, .key = "sk-bench", .model = "gpt-realtime-2.1", .timeout_ms = 60000};

    must(loop_new(&l.loop) == 0 && loop_timer_new(&awake, l.loop, on_awake, NULL) == 0, "no loop");
    loop_timer_in(awake, 3600000); /* a loop without anything to wait for does not turn */
    l.door = peer_listen(url, sizeof(url));
    http.loop = openai.loop = l.loop;
    must(http_server_new(&l.http, &http) == 0 && openai_pool_new(&l.openai, &openai) == 0,
         "no server");
    streams(&l);
    begin(&l);
    up(&l);
    down(&l, false);
    down(&l, true);
    end(&l);
    frame();
    http_server_free(l.http);
    openai_pool_free(l.openai);
    loop_timer_free(awake);
    loop_free(l.loop);
    return 0;
}
