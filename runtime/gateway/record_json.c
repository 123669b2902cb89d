/* SPDX-License-Identifier: Apache-2.0 */
/* record_json.c - each type of record adds the members that mean something for it. Totals and usage
 * are written as numbers, words as strings; nothing is ever null.
 *
 * This is where a call's words leave it for whatever keeps them (the ring of recent records, the
 * journal, the database), so this is where they are redacted: none of those ever sees the numbers. */
#include "gateway/record_json.h"

#include "base/err.h"
#include "base/redact.h"

#include <inttypes.h>

static const char *const type_names[] = {
    [RECORD_STATE] = "state",         [RECORD_TURN] = "turn",     [RECORD_TOOL] = "tool",
    [RECORD_BARGE_IN] = "barge_in",   [RECORD_DTMF] = "dtmf",     [RECORD_USAGE] = "usage",
    [RECORD_ERROR] = "error",         [RECORD_NOTICE] = "notice", [RECORD_PAUSE] = "pause",
    [RECORD_RECORDING] = "recording", [RECORD_ENDED] = "ended",   [RECORD_OPERATOR] = "operator",
    [RECORD_TRANSFER] = "transfer",
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

static int add_string(struct buf *out, const char *key, struct rd_str value)
{
    int rc = buf_addf(out, ",\"%s\":\"", key);

    if (!rc)
        rc = buf_add_json(out, value);
    return rc ? rc : buf_add_str(out, "\"");
}

typedef int(redact_fn)(struct buf *out, struct rd_str text);

/* What people, models and tools say. */
static int add_redacted(struct buf *out, const char *key, struct rd_str value, redact_fn *redact)
{
    struct buf clean;
    int rc;

    buf_init(&clean, 8 * value.n + 64);
    rc = redact(&clean, value);
    if (!rc)
        rc = add_string(out, key, (struct rd_str){clean.data, clean.n});
    buf_fini(&clean);
    return rc;
}

static int add_words(struct buf *out, const char *key, struct rd_str value)
{
    return add_redacted(out, key, value, redact_text);
}

static int add_number(struct buf *out, const char *key, uint64_t value)
{
    return buf_addf(out, ",\"%s\":%" PRIu64, key, value);
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

static int add_totals(struct buf *out, const struct call_totals *t)
{
    int rc =
        buf_addf(out,
                 ",\"frames_in\":%" PRIu64 ",\"frames_out\":%" PRIu64 ",\"gap_ms\":%" PRIu64
                 ",\"bad_frames\":%" PRIu64 ",\"late_deltas\":%" PRIu64
                 ",\"turns\":%u,\"barge_ins\":%u,\"tool_calls\":%u,\"errors\":%u"
                 ",\"first_audio_ms\":%u,\"duration_ms\":%u",
                 t->frames_in, t->frames_out, t->gap_ms, t->bad_frames, t->late_deltas, t->turns,
                 t->barge_ins, t->tool_calls, t->errors, t->first_audio_ms, t->duration_ms);

    return rc ? rc : add_usage(out, &t->usage);
}

static int add_turn(struct buf *out, const struct record *r)
{
    int rc = add_string(out, "role", rd_str(role_names[r->role]));

    if (!rc)
        rc = add_words(out, "text", r->text);
    if (!rc && r->said.n > 0)
        rc = add_words(out, "said", r->said);
    if (!rc && r->withheld)
        rc = add_string(out, "withheld", rd_str(r->withheld));
    if (!rc)
        rc = add_string(out, "item", r->id);
    if (!rc)
        rc = add_number(out, "seq", r->seq);
    return rc ? rc : buf_addf(out, ",\"interrupted\":%s", r->interrupted ? "true" : "false");
}

static int add_tool(struct buf *out, const struct record *r)
{
    int rc = add_string(out, "id", r->id);

    if (!rc)
        rc = add_string(out, "name", r->name);
    if (!rc)
        rc = add_redacted(out, r->done ? "output" : "arguments", r->text, redact_json);
    return rc ? rc : buf_addf(out, ",\"done\":%s", r->done ? "true" : "false");
}

static int add_barge_in(struct buf *out, const struct record *r)
{
    int rc = add_string(out, "item", r->id);

    return rc ? rc : add_number(out, "heard_ms", r->heard_ms);
}

/* A transcription that tells neither seconds nor tokens tells nothing. */
static bool is_complete(const struct record *r)
{
    const struct provider_usage *u = r->usage;

    if (r->text.n == 0)
        return false;
    return !u->transcription || u->seconds > 0 || u->text_in + u->audio_in + u->text_out > 0;
}

/* Without the provider's own words for it, nobody knows what it was: unknown, not nothing. */
static int add_bill(struct buf *out, const struct record *r)
{
    int rc =
        add_string(out, "kind", rd_str(r->usage->transcription ? "transcription" : "response"));

    if (!rc && r->name.n > 0)
        rc = add_string(out, "model", r->name);
    if (!rc)
        rc = add_usage(out, r->usage);
    if (!rc)
        rc = buf_addf(out, ",\"complete\":%s", is_complete(r) ? "true" : "false");
    if (!rc && r->text.n > 0)
        rc = buf_addf(out, ",\"raw\":" RD_STR_FMT, RD_STR_ARG(r->text));
    return rc;
}

static int add_error(struct buf *out, const struct record *r)
{
    int rc = add_string(out, "code", r->name);

    return rc ? rc : add_words(out, "message", r->text);
}

static int add_pause(struct buf *out, const struct record *r)
{
    int rc = buf_addf(out, ",\"on\":%s", r->on ? "true" : "false");

    return rc ? rc : add_string(out, "by", r->name);
}

static int add_recording(struct buf *out, const struct recording_fact *f)
{
    int rc = add_string(out, "node", rd_str(f->node));

    if (!rc && f->path[0])
        rc = add_string(out, "path", rd_str(f->path));
    if (!rc)
        rc = buf_addf(out,
                      ",\"bytes\":%" PRIu64
                      ",\"duration_ms\":%u,\"paused_ms\":%u,\"lost_ms\":%u,\"state\":\"%s\"",
                      f->bytes, f->duration_ms, f->paused_ms, f->lost_ms, f->state);
    return rc || !f->why[0] ? rc : add_string(out, "why", rd_str(f->why));
}

static int add_operator(struct buf *out, const struct record *r)
{
    int rc = add_string(out, "action", r->name);

    if (!rc)
        rc = add_words(out, "detail", r->text);
    return rc ? rc : add_string(out, "who", r->id);
}

static int add_transfer(struct buf *out, const struct record *r)
{
    int rc = add_string(out, "whom", r->name);

    if (!rc)
        rc = add_string(out, "state", r->id);
    return rc || r->text.n == 0 ? rc : add_string(out, "why", r->text);
}

static int add_ended(struct buf *out, const struct record *r)
{
    int rc = add_string(out, "reason", r->text);

    return rc ? rc : add_totals(out, r->totals);
}

static int add_body(struct buf *out, const struct record *r)
{
    switch (r->type) {
    case RECORD_STATE:
        return add_string(out, "state", r->text);
    case RECORD_TURN:
        return add_turn(out, r);
    case RECORD_TOOL:
        return add_tool(out, r);
    case RECORD_BARGE_IN:
        return add_barge_in(out, r);
    case RECORD_DTMF:
        return add_string(out, "digit", RD_STR("*")); /* a keypad is for secrets */
    case RECORD_USAGE:
        return add_bill(out, r);
    case RECORD_ERROR:
        return add_error(out, r);
    case RECORD_NOTICE:
        return add_string(out, "text", r->text);
    case RECORD_PAUSE:
        return add_pause(out, r);
    case RECORD_RECORDING:
        return add_recording(out, r->recording);
    case RECORD_OPERATOR:
        return add_operator(out, r);
    case RECORD_TRANSFER:
        return add_transfer(out, r);
    case RECORD_ENDED:
        return add_ended(out, r);
    }
    return RD_EPROTO;
}

int record_json(struct buf *out, const struct directory_view *call, const struct record *r)
{
    int rc = buf_addf(out, "{\"type\":\"%s\",\"at_ms\":%" PRIu64, type_names[r->type], r->at_ms);

    if (!rc)
        rc = add_string(out, "call", rd_str(call->sid));
    if (!rc)
        rc = add_string(out, "agent", rd_str(call->agent));
    if (!rc)
        rc = add_string(out, "from", rd_str(call->from));
    if (!rc)
        rc = add_string(out, "to", rd_str(call->to));
    if (!rc)
        rc = add_body(out, r);
    return rc ? rc : buf_add_str(out, "}");
}
