/* SPDX-License-Identifier: Apache-2.0 */
/* record_json.c - each type of record adds the members that mean something for it. Totals and usage
 * are written as numbers, words as strings; nothing is ever null.
 *
 * This is where a call's words leave it for whatever keeps them (the ring of recent records, the
 * journal, the database), so this is where they are redacted: none of those ever sees the numbers. */
#include "gateway/record_json.h"

#include "base/err.h"
#include "base/json_out.h"
#include "base/redact.h"

#include <inttypes.h>
#include <string.h>

static const char *const type_names[] = {
    [RECORD_STATE] = "state",         [RECORD_TURN] = "turn",       [RECORD_TOOL] = "tool",
    [RECORD_BARGE_IN] = "barge_in",   [RECORD_DTMF] = "dtmf",       [RECORD_USAGE] = "usage",
    [RECORD_ERROR] = "error",         [RECORD_NOTICE] = "notice",   [RECORD_PAUSE] = "pause",
    [RECORD_RECORDING] = "recording", [RECORD_ENDED] = "ended",     [RECORD_OPERATOR] = "operator",
    [RECORD_TRANSFER] = "transfer",   [RECORD_RESUMED] = "resumed", [RECORD_NAMED] = "vapi",
    [RECORD_FAILOVER] = "failover",
};

static const char *const role_names[] = {
    [PROVIDER_CALLER] = "caller",
    [PROVIDER_AGENT] = "agent",
    [PROVIDER_TOOL] = "tool",
    [PROVIDER_SYSTEM] = "system",
};

const char *record_type_name(enum record_type t)
{
    return type_names[t];
}

/* What is empty is written as empty: only members that mean nothing are left out. */
static struct rd_str shown(struct rd_str s)
{
    return s.p ? s : RD_STR("");
}

static struct rd_str if_any(struct rd_str s)
{
    return s.n > 0 ? s : (struct rd_str){0};
}

/* 0 or an error. */
static int add(struct buf *out, struct json_members members)
{
    int rc = json_members(out, members, false);

    return rc < 0 ? rc : 0;
}

typedef int(redact_fn)(struct buf *out, struct rd_str text);

/* Two of these fit into one event of the journal, however much has to be escaped: an event that is
 * cut as a whole would say nothing to the tables. */
enum { WORDS_ESCAPED_MAX = 28 * 1024, WORDS_READ_MAX = 64 * 1024, ID_MAX = 120, RAW_MAX = 8192 };

/* How much of it comes to at most WORDS_ESCAPED_MAX in JSON, between letters. */
static size_t kept_bytes(struct rd_str s)
{
    size_t at = 0, cost = 0;

    while (at < s.n) {
        unsigned char c = (unsigned char)s.p[at];
        size_t letter = rd_utf8_sequence(s.p + at, s.n - at);

        cost += letter > 1 ? letter : letter == 0 ? 3 : c < ' ' ? 6 : c == '"' || c == '\\' ? 2 : 1;
        if (cost > WORDS_ESCAPED_MAX)
            break;
        at += letter ? letter : 1;
    }
    return at;
}

static int mark_cut(struct buf *words, size_t n_bytes)
{
    size_t kept = kept_bytes((struct rd_str){words->data, words->n});

    if (kept == words->n && n_bytes <= WORDS_READ_MAX)
        return 0;
    words->n = kept;
    return buf_addf(words, " …[cut: %zu bytes in all]", n_bytes);
}

static struct rd_str id_of(struct rd_str s)
{
    return (struct rd_str){s.p ? s.p : "", s.n < ID_MAX ? s.n : ID_MAX};
}

/* What people, models and tools say. */
static int add_redacted(struct buf *out, const char *key, struct rd_str value, redact_fn *redact)
{
    struct buf clean;
    int rc;

    struct rd_str read = {value.p, value.n < WORDS_READ_MAX ? value.n : WORDS_READ_MAX};

    buf_init(&clean, 8 * read.n + 128);
    rc = redact(&clean, read);
    if (!rc)
        rc = mark_cut(&clean, value.n);
    if (!rc)
        rc = add(out, JSON_MEMBERS(J_TEXT(key, shown((struct rd_str){clean.data, clean.n}))));
    buf_fini(&clean);
    return rc;
}

static int add_words(struct buf *out, const char *key, struct rd_str value)
{
    return add_redacted(out, key, value, redact_text);
}

static int add_usage(struct buf *out, const struct provider_usage *u)
{
    return buf_addf(out,
                    ",\"usage\":{\"text_in\":%" PRIu64 ",\"text_in_cached\":%" PRIu64
                    ",\"audio_in\":%" PRIu64 ",\"audio_in_cached\":%" PRIu64
                    ",\"text_out\":%" PRIu64 ",\"audio_out\":%" PRIu64 ",\"seconds\":%.3f}",
                    u->text_in, u->text_in_cached, u->audio_in, u->audio_in_cached, u->text_out,
                    u->audio_out, u->seconds);
}

static int add_ended(struct buf *out, const struct record *r)
{
    const struct call_totals *t = r->totals;
    int rc = add(
        out, JSON_MEMBERS(J_TEXT("reason", shown(r->text)), J_INT("frames_in", t->frames_in),
                          J_INT("frames_out", t->frames_out), J_INT("gap_ms", t->gap_ms),
                          J_INT("bad_frames", t->bad_frames), J_INT("late_deltas", t->late_deltas),
                          J_INT("turns", t->turns), J_INT("barge_ins", t->barge_ins),
                          J_INT("tool_calls", t->tool_calls), J_INT("errors", t->errors),
                          J_INT("first_audio_ms", t->first_audio_ms),
                          J_INT("duration_ms", t->duration_ms),
                          J_BOOL("opening_heard", t->opening_heard)));

    return rc ? rc : add_usage(out, &t->usage);
}

static int add_wait(struct buf *out, const struct turn_wait *w)
{
    int rc =
        add(out, JSON_MEMBERS(J_INT("caller_stopped_ms", w->stopped_ms),
                              J_INT("first_audio_ms", w->audio_ms), J_INT("tool_ms", w->tool_ms)));

    return rc || w->text_ms == 0 ? rc : add(out, JSON_MEMBERS(J_INT("first_text_ms", w->text_ms)));
}

static int add_turn(struct buf *out, const struct record *r)
{
    int rc = add(out, JSON_MEMBERS(J_STR("role", role_names[r->role])));

    if (!rc)
        rc = add_words(out, "text", r->text);
    if (!rc && r->said.n > 0)
        rc = add_words(out, "said", r->said);
    if (!rc)
        rc = add(out, JSON_MEMBERS(J_STR("withheld", r->withheld), J_TEXT("item", id_of(r->id)),
                                   J_INT("seq", r->seq), J_BOOL("interrupted", r->interrupted)));
    return rc || !r->wait.known ? rc : add_wait(out, &r->wait);
}

static int add_tool(struct buf *out, const struct record *r)
{
    int rc = add(out, JSON_MEMBERS(J_TEXT("id", id_of(r->id))));

    if (!rc)
        rc = add_words(out, "name", shown(r->name)); /* the model's: there may be no such tool */
    if (!rc)
        rc = add_redacted(out, r->done ? "output" : "arguments", r->text, redact_json);
    return rc ? rc : add(out, JSON_MEMBERS(J_BOOL("done", r->done)));
}

/* The provider's own JSON; nothing, where PostgreSQL would not take it: a hostile one is longer than any
 * bill, or holds a NUL. */
static struct rd_str raw_of(const struct record *r)
{
    if (r->text.n > RAW_MAX || (r->text.n > 0 && memmem(r->text.p, r->text.n, "\\u0000", 6)))
        return (struct rd_str){0};
    return if_any(r->text);
}

/* A transcription that tells neither seconds nor tokens tells nothing. */
static bool is_complete(const struct record *r)
{
    const struct provider_usage *u = r->usage;

    if (raw_of(r).n == 0)
        return false;
    return !u->transcription || u->seconds > 0 || u->text_in + u->audio_in + u->text_out > 0;
}

/* Without the provider's own words for it, nobody knows what it was: unknown, not nothing. */
static int add_bill(struct buf *out, const struct record *r)
{
    const char *kind = r->usage->transcription ? "transcription" : "response";
    int rc = add(out, JSON_MEMBERS(J_STR("kind", kind), J_TEXT("model", if_any(r->name)),
                                   J_TEXT("item", if_any(id_of(r->id))),
                                   J_TEXT("cut_off", if_any(id_of(r->said)))));

    if (!rc)
        rc = add_usage(out, r->usage);
    if (!rc)
        rc = add(out, JSON_MEMBERS(J_BOOL("complete", is_complete(r)), J_RAW("raw", raw_of(r))));
    return rc;
}

static int add_error(struct buf *out, const struct record *r)
{
    int rc = add(out, JSON_MEMBERS(J_TEXT("code", shown(r->name))));

    return rc ? rc : add_words(out, "message", r->text);
}

static int add_recording(struct buf *out, const struct recording_fact *f)
{
    return add(out, JSON_MEMBERS(J_STR("node", f->node), J_TEXT("path", if_any(rd_str(f->path))),
                                 J_INT("bytes", f->bytes), J_INT("duration_ms", f->duration_ms),
                                 J_INT("paused_ms", f->paused_ms), J_INT("lost_ms", f->lost_ms),
                                 J_STR("state", f->state), J_TEXT("why", if_any(rd_str(f->why)))));
}

static int add_operator(struct buf *out, const struct record *r)
{
    int rc = add(out, JSON_MEMBERS(J_TEXT("action", shown(r->name))));

    if (!rc)
        rc = add_words(out, "detail", r->text);
    return rc ? rc : add(out, JSON_MEMBERS(J_TEXT("who", shown(r->id))));
}

static int add_body(struct buf *out, const struct record *r)
{
    switch (r->type) {
    case RECORD_STATE:
        return add(out, JSON_MEMBERS(J_TEXT("state", shown(r->text))));
    case RECORD_TURN:
        return add_turn(out, r);
    case RECORD_TOOL:
        return add_tool(out, r);
    case RECORD_BARGE_IN:
        return add(out, JSON_MEMBERS(J_TEXT("item", shown(r->id)), J_INT("heard_ms", r->heard_ms)));
    case RECORD_DTMF:
        return add(out, JSON_MEMBERS(J_STR("digit", "*"))); /* a keypad is for secrets */
    case RECORD_USAGE:
        return add_bill(out, r);
    case RECORD_ERROR:
        return add_error(out, r);
    case RECORD_NOTICE:
        return add(out, JSON_MEMBERS(J_TEXT("text", shown(r->text))));
    case RECORD_PAUSE:
        return add(out, JSON_MEMBERS(J_BOOL("on", r->on), J_TEXT("by", shown(r->name))));
    case RECORD_RECORDING:
        return add_recording(out, r->recording);
    case RECORD_OPERATOR:
        return add_operator(out, r);
    case RECORD_TRANSFER:
        return add(out, JSON_MEMBERS(J_TEXT("whom", shown(r->name)), J_TEXT("state", shown(r->id)),
                                     J_TEXT("why", if_any(r->text))));
    case RECORD_NAMED: /* of all that run over this line Vapi alone has a name for it */
        return add(out, JSON_MEMBERS(J_TEXT("vapi_id", id_of(r->id)), J_STR("route", "bridge"),
                                     J_STR("status", "in-progress"), J_STR("seen_by", "webhook")));
    case RECORD_FAILOVER:
        return add(out,
                   JSON_MEMBERS(J_TEXT("from_system", shown(r->name)),
                                J_TEXT("to_system", shown(r->id)), J_TEXT("why", shown(r->text))));
    case RECORD_RESUMED:
        return add(out, JSON_MEMBERS(J_TEXT("reason", shown(r->text)), J_INT("gap_ms", r->gap_ms),
                                     J_INT("attempt", r->attempt)));
    case RECORD_ENDED:
        return add_ended(out, r);
    }
    return RD_EPROTO;
}

int record_json(struct buf *out, const struct directory_view *call, const struct record *r)
{
    int rc = buf_add_str(out, "{");

    if (!rc)
        rc = json_members(out,
                          JSON_MEMBERS(J_STR("type", type_names[r->type]), J_INT("at_ms", r->at_ms),
                                       J_STR("call", call->sid), J_STR("agent", call->agent),
                                       J_STR("from", call->from), J_STR("to", call->to)),
                          true);
    if (rc >= 0)
        rc = add_body(out, r);
    return rc ? rc : buf_add_str(out, "}");
}
