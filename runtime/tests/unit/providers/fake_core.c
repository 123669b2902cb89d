/* SPDX-License-Identifier: Apache-2.0 */
/* fake_core.c - a call core that only writes down what a provider leg tells it. Reads each string
 * it is given to the end, so that a stale one is found by the address sanitizer. */
#include "unit/providers/fake_core.h"

#include "providers/openai/openai.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TAG_CHARS = 16 };

static __attribute__((format(printf, 2, 3))) void tell(struct fake_core *c, const char *fmt, ...)
{
    char line[4096];
    size_t n, used = strlen(c->told);
    va_list ap;

    assert_false(c->ended); /* on_end is the last */
    c->n_told++;
    if (c->quiet)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    n = strlen(line);
    while (used + n + 2 > sizeof(c->told)) {
        char *next = strchr(c->told, '\n');

        assert_non_null(next);
        memmove(c->told, next + 1, strlen(next));
        used = strlen(c->told);
    }
    (void)snprintf(c->told + used, sizeof(c->told) - used, "%s\n", line);
    if (c->close_on && strncmp(line, c->close_on, strlen(c->close_on)) == 0) {
        c->close_on = NULL;
        (c->ops ? c->ops : &openai_provider)->close(c->leg);
    }
    if (c->respond_on && strncmp(line, c->respond_on, strlen(c->respond_on)) == 0) {
        const struct provider_prompt words = {.tag = 7, .exact_words = RD_STR("One moment.")};
        const struct audio_span frame = {"AAAA", 4, 3};

        c->respond_on = NULL;
        c->responded = c->ops->respond(c->leg, &words);
        c->fed = c->ops->audio(c->leg, &frame);
    }
}

static const char *tag_text(char out[TAG_CHARS], uint32_t tag)
{
    (void)snprintf(out, TAG_CHARS, " #%u", tag);
    return tag ? out : "";
}

static void on_ready(void *arg)
{
    tell(arg, "ready");
}

static void on_audio(void *arg, const struct provider_item *it, const struct audio_span *a)
{
    struct fake_core *c = arg;

    c->audio_bytes += a->n_bytes;
    tell(c, "audio " RD_STR_FMT " " RD_STR_FMT " %u %u", RD_STR_ARG(it->response_id),
         RD_STR_ARG(it->item_id), it->content_index, a->n_bytes);
}

static void on_audio_done(void *arg, const struct provider_item *it)
{
    tell(arg, "audio_done " RD_STR_FMT " " RD_STR_FMT, RD_STR_ARG(it->response_id),
         RD_STR_ARG(it->item_id));
}

static void on_speech_started(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    tell(arg, "started %u " RD_STR_FMT, at_ms, RD_STR_ARG(item_id));
}

static void on_speech_stopped(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    tell(arg, "stopped %u " RD_STR_FMT, at_ms, RD_STR_ARG(item_id));
}

static void on_committed(void *arg, struct rd_str item_id)
{
    tell(arg, "committed " RD_STR_FMT, RD_STR_ARG(item_id));
}

static const char *const roles[] = {[PROVIDER_CALLER] = "caller",
                                    [PROVIDER_AGENT] = "agent",
                                    [PROVIDER_TOOL] = "tool",
                                    [PROVIDER_SYSTEM] = "system"};

static void on_placed(void *arg, const struct provider_placed *p)
{
    tell(arg, "placed " RD_STR_FMT " after " RD_STR_FMT " as %s", RD_STR_ARG(p->item_id),
         RD_STR_ARG(p->previous_id), roles[p->role]);
}

static void on_words(void *arg, const struct provider_words *w)
{
    const char *how = w->failed ? " failed" : w->final ? " final" : "";

    tell(arg, "words %s " RD_STR_FMT "%s \"" RD_STR_FMT "\"", roles[w->role],
         RD_STR_ARG(w->item_id), how, RD_STR_ARG(w->text));
}

static void on_tool_call(void *arg, const struct provider_tool_call *t)
{
    tell(arg, "tool " RD_STR_FMT " " RD_STR_FMT " " RD_STR_FMT, RD_STR_ARG(t->call_id),
         RD_STR_ARG(t->name), RD_STR_ARG(t->arguments));
}

static void on_response(void *arg, const struct provider_response *r)
{
    static const char *const states[] = {"started", "completed", "cancelled", "incomplete",
                                         "failed"};
    struct fake_core *c = arg;
    char tag[TAG_CHARS];

    c->usage = r->usage;
    (void)rd_str_copy(c->raw, sizeof(c->raw), r->raw_usage);
    tell(c, "response " RD_STR_FMT " %s%s%s%s" RD_STR_FMT "%s", RD_STR_ARG(r->response_id),
         states[r->state], r->out_of_band ? " beside" : "", tag_text(tag, r->tag),
         r->error_code.n ? " " : "", RD_STR_ARG(r->error_code), r->limited ? " limited" : "");
}

static void on_usage(void *arg, const struct provider_usage *u, struct rd_str raw)
{
    struct fake_core *c = arg;

    c->usage = *u;
    (void)rd_str_copy(c->raw, sizeof(c->raw), raw);
    tell(c, "usage");
}

static void on_limits(void *arg, const struct provider_limits *l)
{
    tell(arg, "limits requests %u/%u %u tokens %u/%u %u", (unsigned)l->requests.remaining,
         (unsigned)l->requests.limit, l->requests.reset_ms, (unsigned)l->tokens.remaining,
         (unsigned)l->tokens.limit, l->tokens.reset_ms);
}

static void on_error(void *arg, const struct provider_error *e)
{
    struct fake_core *c = arg;
    char tag[TAG_CHARS];

    (void)snprintf(c->fix, sizeof(c->fix), "%s", e->fix ? e->fix : "");
    (void)rd_str_copy(c->message, sizeof(c->message), e->message);
    tell(c, "error " RD_STR_FMT "%s%s%s%s", RD_STR_ARG(e->code), e->busy ? " busy" : "",
         e->benign ? " benign" : "", e->fatal ? " fatal" : "", tag_text(tag, e->tag));
}

static void on_end(void *arg, enum leg_end why)
{
    static const char *const names[] = {"closed_by_us", "closed_by_peer", "lost", "refused",
                                        "protocol"};
    struct fake_core *c = arg;

    tell(c, "end %s", names[why]);
    c->ended = true;
}

static void on_named(void *arg, struct rd_str id)
{
    tell(arg, "named " RD_STR_FMT, RD_STR_ARG(id));
}

static void on_hang_up(void *arg)
{
    tell(arg, "hang_up");
}

static void on_expiry(void *arg, uint64_t in_ms)
{
    struct fake_core *c = arg;

    c->expires_in_ms = in_ms;
}

const struct provider_events fake_core_events = {
    .on_ready = on_ready,
    .on_named = on_named,
    .on_expiry = on_expiry,
    .on_audio = on_audio,
    .on_audio_done = on_audio_done,
    .on_speech_started = on_speech_started,
    .on_speech_stopped = on_speech_stopped,
    .on_committed = on_committed,
    .on_placed = on_placed,
    .on_words = on_words,
    .on_tool_call = on_tool_call,
    .on_response = on_response,
    .on_usage = on_usage,
    .on_limits = on_limits,
    .on_error = on_error,
    .on_hang_up = on_hang_up,
    .on_end = on_end,
};

bool core_heard(const struct fake_core *c, const char *line)
{
    size_t n = strlen(line);

    for (const char *p = c->told; *p; p = strchr(p, '\n') + 1)
        if (strncmp(p, line, n) == 0 && p[n] == '\n')
            return true;
    return false;
}

unsigned core_count(const struct fake_core *c, const char *line_start)
{
    unsigned count = 0;

    for (const char *p = c->told; *p; p = strchr(p, '\n') + 1)
        count += strncmp(p, line_start, strlen(line_start)) == 0;
    return count;
}

const char *core_last(const struct fake_core *c)
{
    static char line[4096];
    const char *p = c->told, *start = p;

    for (; *p; p = strchr(p, '\n') + 1)
        start = p;
    (void)rd_str_copy(line, sizeof(line), (struct rd_str){start, strcspn(start, "\n")});
    return line;
}

void core_forget(struct fake_core *c)
{
    c->told[0] = '\0';
    c->n_told = 0;
}
