/* SPDX-License-Identifier: Apache-2.0 */
/* fake_happens.c - what carrier and provider tell the core, named after what happens. */
#include "fake_call.h"

#include "media/base64.h"

#include <string.h>

struct audio_span fake_span(uint32_t n_bytes)
{
    static char whole[21600], text[21600];
    uint8_t bytes[300];
    uint32_t n_tail = n_bytes % 3;
    size_t n_head = n_bytes / 3 * 4;

    memset(bytes, 0x7F, sizeof(bytes));
    for (size_t i = 0; whole[sizeof(whole) - 1] == '\0' && i + 400 <= sizeof(whole); i += 400)
        (void)base64_encode(whole + i, bytes, 300);
    memcpy(text, whole, n_head);
    return (struct audio_span){.b64 = text,
                               .n_b64 = n_head + base64_encode(text + n_head, bytes, n_tail),
                               .n_bytes = n_bytes};
}

void fake_caller_frame(struct fake *f, uint32_t at_ms)
{
    struct audio_span a = fake_span(160);

    call_carrier_events.on_audio(f->call, &a, at_ms);
}

void fake_caller_starts(struct fake *f)
{
    call_provider_events.on_speech_started(f->call, 0, RD_STR("u"));
}

void fake_caller_stops(struct fake *f)
{
    call_provider_events.on_speech_stopped(f->call, 0, RD_STR("u"));
}

void fake_item(struct fake *f, const char *item, const char *previous, enum provider_role role)
{
    struct provider_placed p = {
        .item_id = rd_str(item), .previous_id = rd_str(previous), .role = role};

    call_provider_events.on_placed(f->call, &p);
}

void fake_caller_said(struct fake *f, const char *item, const char *previous, const char *words)
{
    struct provider_words w = {
        .item_id = rd_str(item), .role = PROVIDER_CALLER, .text = rd_str(words), .final = true};

    fake_item(f, item, previous, PROVIDER_CALLER);
    call_provider_events.on_words(f->call, &w);
}

static void response(struct fake *f, const char *id, enum provider_response_state s, uint32_t tag,
                     bool aside)
{
    struct provider_response r = {
        .response_id = rd_str(id), .tag = tag, .state = s, .out_of_band = aside};

    call_provider_events.on_response(f->call, &r);
}

void fake_response_starts(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_STARTED, f->asked_tag, false);
    f->asked_tag = 0;
}

void fake_own_turn_starts(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_STARTED, 0, false);
}

void fake_aside_starts(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_STARTED, f->aside_tag, true);
}

void fake_response_ends(struct fake *f, const char *id, enum provider_response_state s)
{
    response(f, id, s, 0, false);
}

void fake_limited(struct fake *f, const char *id)
{
    struct provider_response r = {.response_id = rd_str(id),
                                  .state = PROVIDER_RESPONSE_FAILED,
                                  .error_code = RD_STR("rate_limit_exceeded"),
                                  .limited = true};

    call_provider_events.on_response(f->call, &r);
}

void fake_aside_ends(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_COMPLETED, 0, true);
}

void fake_agent_audio(struct fake *f, const char *response_id, const char *item, uint32_t ms)
{
    struct provider_item it = {.response_id = rd_str(response_id), .item_id = rd_str(item)};
    struct audio_span a = fake_span(ms * 8);

    call_provider_events.on_audio(f->call, &it, &a);
}

void fake_agent_audio_done(struct fake *f, const char *response_id, const char *item)
{
    struct provider_item it = {.response_id = rd_str(response_id), .item_id = rd_str(item)};

    call_provider_events.on_audio_done(f->call, &it);
}

void fake_agent_words(struct fake *f, const char *item, const char *words, bool final)
{
    struct provider_words w = {
        .item_id = rd_str(item), .role = PROVIDER_AGENT, .text = rd_str(words), .final = final};

    call_provider_events.on_words(f->call, &w);
}

void fake_tool_call(struct fake *f, const char *id, const char *name, const char *arguments)
{
    struct provider_tool_call t = {
        .call_id = rd_str(id), .name = rd_str(name), .arguments = rd_str(arguments)};

    call_provider_events.on_tool_call(f->call, &t);
}

void fake_marks_return(struct fake *f, uint32_t n)
{
    while (n-- > 0 && f->n_marks > 0 && f->call) {
        struct carrier_mark m = f->marks[0];

        memmove(&f->marks[0], &f->marks[1], --f->n_marks * sizeof(m));
        call_carrier_events.on_mark(f->call, &m);
    }
}

void fake_carrier_ends(struct fake *f, enum leg_end why)
{
    call_carrier_events.on_end(f->call, why);
}

void fake_provider_ends(struct fake *f, enum leg_end why)
{
    call_provider_events.on_end(f->call, why);
}

void fake_error(struct fake *f, const char *code, bool busy, bool benign, bool fatal)
{
    struct provider_error e = {
        .code = rd_str(code), .busy = busy, .benign = benign, .fatal = fatal};

    call_provider_events.on_error(f->call, &e);
}

void fake_refused(struct fake *f, uint32_t tag, bool busy)
{
    struct provider_error e = {.code = RD_STR("refused"), .tag = tag, .busy = busy};

    call_provider_events.on_error(f->call, &e);
}

/* The opening was generated, played and heard; the caller's turn. */
void fake_greet(struct fake *f, struct brief *brief)
{
    fake_start_live(f, brief);
    fake_response_starts(f, "r1");
    fake_item(f, "a1", "", PROVIDER_AGENT);
    fake_agent_audio(f, "r1", "a1", 600);
    fake_agent_words(f, "a1", "Hello, this is a test.", true);
    fake_agent_audio_done(f, "r1", "a1");
    fake_response_ends(f, "r1", PROVIDER_RESPONSE_COMPLETED);
    fake_pass(f, 600);
    fake_marks_return(f, 100);
    fake_forget(f);
}

void fake_caller_asks(struct fake *f, const char *item, const char *previous, const char *words)
{
    fake_caller_starts(f);
    fake_caller_stops(f);
    fake_caller_said(f, item, previous, words);
}
