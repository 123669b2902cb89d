/* SPDX-License-Identifier: Apache-2.0 */
/* call_live.c - simulated calls as people read them.
 *
 *   12.480  booking   caller   Hi, can a plumber come tomorrow at nine?
 *   14.960  booking   agent    begins
 *
 * The log of the OpenAI double tells which tools were called: lines {"ev":"reply","scenario":…} and
 * {"ev":"tool_call","name":…} of one session belong together. */
#include "cli/call_live.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS_MAX = 4096, TOOLS_TEXT = 256 };

static const char *text_of(const json_t *o, const char *key)
{
    const char *z = json_string_value(json_object_get(o, key));

    return z ? z : "";
}

static int int_of(const json_t *o, const char *key)
{
    return (int)json_integer_value(json_object_get(o, key));
}

/* Who did it, and the name of the member that tells what. */
static const struct {
    const char *event, *who, *what, *member;
} lines[] = {
    {"call.ringing", "network", "rings", "to"},
    {"twiml.verb", "network", "runs", "verb"},
    {"stream.open", "network", "opens the stream", NULL},
    {"stream.closed", "network", "stream closed", "why"},
    {"webhook.fallback", "network", "asks the fallback", "url"},
    {"rest.update", "agent", "updates the call by", "kind"},
    {"text.created", "agent", "texts:", "body"},
    {"text.delivered", "person", "has the text for", "to"},
    {"text.undelivered", "network", "cannot deliver the text to", "to"},
    {"text.refused", "network", "refuses a text:", "why"},
    {"text.received", "person", "texts:", "body"},
    {"leg.ringing", "network", "rings", "to"},
    {"leg.answered", "person", "answers at", "to"},
    {"leg.hears", "person", "hears", "text"},
    {"leg.digit", "person", "presses", "digit"},
    {"leg.through", "network", "puts the caller through to", "to"},
    {"leg.ended", "network", "the other end is over:", "status"},
    {"caller.says", "caller", "", "text"},
    {"caller.digit", "caller", "presses", "digit"},
    {"caller.hangs_up", "caller", "hangs up", NULL},
    {"caller.gives_up", "caller", "gives up", NULL},
    {"agent.heard", "agent", "speaks", NULL},
    {"error", "network", "complains:", "why"},
    {"call.ended", "network", "call over, ended by", "ended_by"},
};

static void print_line(FILE *f, const json_t *e, const char *who, const char *what,
                       const char *more)
{
    int ms = int_of(e, "t_ms");

    fprintf(f, "%4d.%03d  %-22s %-8s %s%s%s\n", ms / 1000, ms % 1000, text_of(e, "scenario"), who,
            what, *what && *more ? " " : "", more);
    fflush(f);
}

void call_live_print(FILE *f, const char *event_json)
{
    json_t *e = json_loads(event_json, 0, NULL);
    const char *event = text_of(e, "ev");
    char more[64];

    if (strcmp(event, "clear") == 0 && json_is_true(json_object_get(e, "barge_in"))) {
        snprintf(more, sizeof(more), "after %d ms", int_of(e, "reaction_ms"));
        print_line(f, e, "agent", "stops for the caller", more);
    } else if (strcmp(event, "agent.silent") == 0) {
        snprintf(more, sizeof(more), "%.1f s", int_of(e, "heard_ms") / 1000.0);
        print_line(f, e, "agent", "was heard for", more);
    }
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strcmp(lines[i].event, event) == 0)
            print_line(f, e, lines[i].who, lines[i].what,
                       lines[i].member ? text_of(e, lines[i].member) : "");
    }
    json_decref(e);
}

void call_table_print(FILE *f, const struct call_report *r, size_t n)
{
    fprintf(f, "%-22s %-5s %-9s %7s %8s %6s %8s %7s %7s %7s %s\n", "scenario", "", "ended by",
            "seconds", "first ms", "barges", "worst ms", "frames", "heard s", "cut s", "verbs");
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%-22s %-5s %-9s %7.1f %8u %6u %8u %7u %7.1f %7.1f %s\n", r[i].scenario,
                r[i].ok ? "ok" : "WRONG", r[i].ended_by, r[i].seconds_ms / 1000.0,
                r[i].first_audio_ms, r[i].barge_ins, r[i].barge_in_worst_ms, r[i].frames_sent,
                (double)r[i].played_ms / 1000.0, (double)r[i].cleared_ms / 1000.0, r[i].verbs);
    for (size_t i = 0; i < n; i++) {
        if (!r[i].ok)
            fprintf(f, "%s (%s): %s\n", r[i].scenario, r[i].call_sid, r[i].why);
    }
}

void call_report_print(FILE *f, const struct call_report *r)
{
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:s}",
        "ev", "report", "call", r->call_sid, "scenario", r->scenario, "ok", r->ok, "why", r->why,
        "ended_by", r->ended_by, "duration_ms", (json_int_t)r->seconds_ms, "first_audio_ms",
        (json_int_t)r->first_audio_ms, "barge_ins", (json_int_t)r->barge_ins, "barge_in_worst_ms",
        (json_int_t)r->barge_in_worst_ms, "frames_sent", (json_int_t)r->frames_sent,
        "media_received", (json_int_t)r->media_received, "marks_received",
        (json_int_t)r->marks_received, "clears_received", (json_int_t)r->clears_received,
        "played_ms", (json_int_t)r->played_ms, "cleared_ms", (json_int_t)r->cleared_ms,
        "violations", (json_int_t)r->violations, "rest_updates", (json_int_t)r->rest_updates,
        "verbs", r->verbs);

    if (o && json_dumpf(o, f, JSON_COMPACT) == 0)
        fputc('\n', f);
    fflush(f);
    json_decref(o);
}

/* ---- tools ---- */

struct session {
    char id[64], scenario[64];
    char tools[TOOLS_TEXT]; /* comma separated */
    bool claimed;
};

struct sessions {
    struct session *all; /* owns */
    size_t n;
};

static struct session *session_of(struct sessions *s, const char *id)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->all[i].id, id) == 0)
            return &s->all[i];
    }
    if (s->n == SESSIONS_MAX)
        return NULL;
    snprintf(s->all[s->n].id, sizeof(s->all[s->n].id), "%s", id);
    return &s->all[s->n++];
}

static void note_fact(struct sessions *s, const json_t *fact)
{
    struct session *x = session_of(s, text_of(fact, "session"));
    const char *event = text_of(fact, "ev");
    size_t n;

    if (x && strcmp(event, "reply") == 0)
        snprintf(x->scenario, sizeof(x->scenario), "%s", text_of(fact, "scenario"));
    if (x && strcmp(event, "tool_call") == 0) {
        n = strlen(x->tools);
        snprintf(x->tools + n, sizeof(x->tools) - n, "%s%s", n ? "," : "", text_of(fact, "name"));
    }
}

static int read_log(struct sessions *s, const char *log, long from)
{
    FILE *f = fopen(log, "re");
    char *line = NULL;
    size_t cap = 0;

    if (!f)
        return -errno;
    if (fseek(f, from, SEEK_SET) == 0) {
        while (getline(&line, &cap, f) > 0) {
            json_t *fact = json_loads(line, 0, NULL);
            if (fact)
                note_fact(s, fact);
            json_decref(fact);
        }
    }
    free(line);
    fclose(f);
    return 0;
}

static void judge_one(struct sessions *s, struct call_report *r, char **tools)
{
    char want[TOOLS_TEXT] = "";
    const char *seen = NULL;
    size_t n = 0;

    for (size_t i = 0; tools[i] && n < sizeof(want); i++)
        n += (size_t)snprintf(want + n, sizeof(want) - n, "%s%s", i ? "," : "", tools[i]);
    for (size_t i = 0; i < s->n; i++) {
        struct session *x = &s->all[i];
        if (x->claimed || strcmp(x->scenario, r->scenario) != 0)
            continue;
        if (strcmp(x->tools, want) == 0) {
            x->claimed = true;
            return;
        }
        seen = x->tools;
    }
    n = strlen(r->why);
    snprintf(r->why + n, sizeof(r->why) - n, "%stools called: %s, not %s", n ? "; " : "",
             seen && *seen ? seen : "none", want);
    r->ok = false;
}

int call_tools_judge(struct call_report *r, const struct scenario *const *s, size_t n,
                     const char *log, long from)
{
    struct sessions sessions = {.all = calloc(SESSIONS_MAX, sizeof(struct session))};
    int rc = sessions.all ? read_log(&sessions, log, from) : -ENOMEM;

    for (size_t i = 0; i < n && rc == 0; i++) {
        if (s[i]->expect.tools)
            judge_one(&sessions, &r[i], s[i]->expect.tools);
    }
    free(sessions.all);
    return rc;
}
