/* SPDX-License-Identifier: Apache-2.0 */
/* follow.c - the node's events as a transcript: those of one call so far, or all as they happen.
 *
 * - live: /api/v1/events is asked again and again; each answer comes at once when there is
 *   something, else after 10 s, or sooner when a line waits for its words (order.h)
 * - past: the same from the oldest event that is kept to the newest, page by page
 * - a node that restarts is an end, and said so */
#include "cli/follow.h"

#include "base/json.h"
#include "base/now.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/order.h"
#include "cli/transcript.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct following {
    const struct settings *settings;
    struct rd_str only; /* a call; empty: all */
    struct transcript look;
    struct order *order; /* owns */
    bool json, past;
    uint64_t after;     /* the number of the last event seen */
    uint64_t n, n_said; /* events of the calls wanted, and those that made lines */
};

/* ---- one event ---- */

static void show(const struct json_value *event, void *arg)
{
    struct following *f = arg;
    struct buf text;

    buf_init(&text, 1 << 20);
    if (f->json)
        buf_addf(&text, RD_STR_FMT "\n", RD_STR_ARG(event->raw));
    else
        transcript_add(&f->look, event, &text);
    if (text.n > 0) { /* not every kind of event is told */
        f->n_said++;
        fwrite(text.data, 1, text.n, stdout);
        fflush(stdout);
    }
    buf_fini(&text);
}

/* The ring forgets the oldest events; a call whose first one is not its beginning lost some. */
static void tell_when_beginning_is_gone(const struct json_value *event)
{
    struct json_value state = json_get(event, "state");

    if (!json_is(&state, "connecting"))
        puts("            (what happened before is not kept any more)");
}

static void take_event(struct following *f, const struct json_value *event)
{
    struct json_value call = json_get(event, "call"), at = json_get(event, "at_ms");
    uint64_t ms = 0;

    if (f->only.n > 0 && !rd_str_eq(call.raw, f->only))
        return;
    if (f->past && f->n == 0)
        tell_when_beginning_is_gone(event);
    f->n++;
    json_u64(&at, &ms);
    if (f->json)
        show(event, f);
    else
        order_take(f->order, event, f->past ? ms : monotonic_ms());
}

/* An array of events; the first answer of a live one is only where to begin. False when it is
 * broken. */
static bool take_events(struct following *f, const struct buf *body, bool silent)
{
    struct json_value list, event, number;
    struct json_iter it;
    struct rd_str key;

    if (json_parse((struct rd_str){body->data, body->n}, &list) != 0 || list.type != JSON_ARRAY)
        return false;
    json_iter_init(&it, &list);
    while (json_next(&it, &key, &event)) {
        number = json_get(&event, "event");
        json_u64(&number, &f->after);
        if (!silent)
            take_event(f, &event);
    }
    return it.err == 0;
}

/* ---- asking ---- */

/* One request and what it brings; false when there was no good answer. */
static bool ask(struct following *f, const char *target, bool silent, bool tell)
{
    struct buf body;
    char why[512] = "";
    int http;
    bool good;

    buf_init(&body, CLIENT_BODY_MAX);
    http = client_request(f->settings->data, "GET", target, &body, why, sizeof(why));
    good = http == 200 && take_events(f, &body, silent);
    if (!good && tell)
        client_complain("calls", http, &body, why);
    buf_fini(&body);
    return good;
}

static int run_live(struct following *f)
{
    char target[96];
    unsigned wait_ms;

    if (!ask(f, "/api/v1/events", true, true))
        return EXIT_FAILED;
    for (;;) {
        wait_ms = order_due(f->order, monotonic_ms());
        snprintf(target, sizeof(target), "/api/v1/events?after=%" PRIu64 "&wait_ms=%u", f->after,
                 wait_ms ? wait_ms : 10000);
        if (!ask(f, target, false, false))
            break;
    }
    order_flush(f->order);
    fputs("ringdown calls: the node has gone\n", stderr);
    return EXIT_FAILED;
}

static int run_past(struct following *f)
{
    char target[96];
    uint64_t last, before;

    if (!ask(f, "/api/v1/events", true, true))
        return EXIT_FAILED;
    last = f->after;
    f->after = 0;
    while (f->after < last) {
        before = f->after;
        snprintf(target, sizeof(target), "/api/v1/events?after=%" PRIu64, before);
        if (!ask(f, target, false, true))
            return EXIT_FAILED;
        if (f->after <= before) /* a node that began anew meanwhile */
            break;
    }
    order_flush(f->order);
    if (f->n_said == 0)
        puts("            (what was said in it is not kept any more)");
    return EXIT_OK;
}

/* ---- the ways in ---- */

static int begin(struct following *f, const struct settings *s, const char *call)
{
    struct winsize size;

    f->settings = s;
    f->only = call ? rd_str(call) : (struct rd_str){0};
    f->look.width = 100;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        f->look.width = size.ws_col;
    f->look.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    return order_new(&f->order, show, f);
}

static void on_interrupt(int signum)
{
    (void)signum;
    _exit(EXIT_OK); /* what was printed is flushed after each event */
}

int follow_live(const struct settings *s, const char *call, bool json)
{
    struct following f = {.json = json};
    struct sigaction leave = {.sa_handler = on_interrupt};
    int code = EXIT_FAILED;

    sigaction(SIGINT, &leave, NULL);
    if (begin(&f, s, call) == 0)
        code = run_live(&f);
    order_free(f.order);
    return code;
}

int follow_past(const struct settings *s, const char *call)
{
    struct following f = {.past = true};
    int code = EXIT_FAILED;

    if (begin(&f, s, call) == 0)
        code = run_past(&f);
    order_free(f.order);
    return code;
}
