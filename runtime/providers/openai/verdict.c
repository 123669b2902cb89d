/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - what an error of the Realtime API means.
 *
 * Errors arrive in four dresses: an HTTP status with a JSON body instead of the upgrade, an `error`
 * event, a failed response, and a close frame whose reason ends in an error code. All are looked up
 * in the same table of codes; the status or the close code decides only where the code is unknown.
 *   - an error that answers our truncate or cancel came too late to matter: benign, whatever its
 * code
 *   - an error that answers our session.update means a wrong setting of the agent: fatal
 *   - what nobody knows is reported and changes nothing
 * What to do about each stands in the catalogue of errors, as openai.CODE. */
#include "providers/openai/verdict.h"

#include "base/err.h"
#include "base/json.h"
#include "observe/catalogue.h"

#include <stdio.h>

#define FIX(name) catalogue_fix("openai.", name)

static const struct {
    struct rd_str code;
    enum verdict_kind kind;
    bool advise; /* the operator can do something about it: docs/errors.md */
    bool quiet;
} codes[] = {
    {RD_STR("conversation_already_has_active_response"), VERDICT_BUSY, false, false},
    {RD_STR("response_cancel_not_active"), VERDICT_BENIGN, false, false},
    {RD_STR("input_audio_buffer_commit_empty"), VERDICT_BENIGN, false, false},
    {RD_STR("item_not_found"), VERDICT_BENIGN, false, false},
    {RD_STR("invalid_api_key"), VERDICT_FATAL, true, true},
    {RD_STR("account_deactivated"), VERDICT_FATAL, true, false},
    {RD_STR("insufficient_quota"), VERDICT_FATAL, true, false},
    {RD_STR("billing_hard_limit_reached"), VERDICT_FATAL, true, false},
    {RD_STR("model_not_found"), VERDICT_FATAL, true, false},
    {RD_STR("invalid_model"), VERDICT_FATAL, true, false},
    {RD_STR("unsupported_country_region_territory"), VERDICT_FATAL, true, false},
    {RD_STR("rate_limit_exceeded"), VERDICT_LIMIT, true, false},
    {RD_STR("inference_rate_limit_exceeded"), VERDICT_LIMIT, true, false},
    {RD_STR("session_expired"), VERDICT_OTHER, false, false},
    {RD_STR("server_error"), VERDICT_LOST, false, false},
};

static const struct {
    int status;
    enum verdict_kind kind;
} statuses[] = {
    {401, VERDICT_FATAL}, {403, VERDICT_FATAL}, {404, VERDICT_FATAL},
    {408, VERDICT_LOST},  {429, VERDICT_FATAL},
};

static bool contains(struct rd_str s, const char *z)
{
    return s.n > 0 && memmem(s.p, s.n, z, strlen(z)) != NULL;
}

static bool starts(struct rd_str s, const char *z)
{
    size_t n = strlen(z);

    return s.n >= n && memcmp(s.p, z, n) == 0;
}

static struct verdict verdict(enum verdict_kind kind, struct rd_str code, const char *fix)
{
    struct verdict v = {
        .kind = kind, .end = kind == VERDICT_FATAL ? LEG_REFUSED : LEG_LOST, .fix = fix};

    (void)rd_str_copy(v.code, sizeof(v.code), code);
    return v;
}

/* True when `code` is in the table; then *v is filled. */
static bool lookup(struct rd_str code, struct verdict *v)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (!rd_str_eq(code, codes[i].code))
            continue;
        *v = verdict(codes[i].kind, code, NULL);
        if (codes[i].advise)
            v->fix = FIX(v->code);
        v->quiet_message = codes[i].quiet;
        return true;
    }
    return false;
}

static struct rd_str name_of(struct rd_str code, struct rd_str type, const char *otherwise)
{
    if (code.n > 0)
        return code;
    return type.n > 0 ? type : rd_str(otherwise);
}

/* While connecting, running into a limit or a failure of theirs decides the leg. */
static void settle_setup(struct verdict *v, const struct openai_error *e)
{
    if (v->kind == VERDICT_LIMIT || (v->kind == VERDICT_OTHER && starts(e->event_id, "session-"))) {
        v->fix = v->kind == VERDICT_LIMIT ? FIX("rate_limit_exceeded") : FIX("agent");
        v->kind = VERDICT_FATAL;
        v->end = LEG_REFUSED;
    }
}

struct verdict verdict_of_error(const struct openai_error *e, bool setup)
{
    struct rd_str name = name_of(e->code, e->type, "error");
    struct verdict v;

    if (!lookup(e->code, &v) && !lookup(e->type, &v))
        v = verdict(VERDICT_OTHER, name, NULL);
    (void)rd_str_copy(v.code, sizeof(v.code), name);
    if (v.kind == VERDICT_OTHER && contains(e->message, "already shorter than"))
        v.kind = VERDICT_BENIGN;
    if (v.kind == VERDICT_OTHER &&
        (starts(e->event_id, "truncate-") || starts(e->event_id, "cancel-")))
        v.kind = VERDICT_BENIGN;
    if (setup)
        settle_setup(&v, e);
    return v;
}

struct verdict verdict_of_response(struct rd_str code, struct rd_str type)
{
    struct verdict v;

    if (!lookup(code, &v) && !lookup(type, &v))
        v = verdict(VERDICT_OTHER, name_of(code, type, "response_failed"), NULL);
    return v;
}

/* The upgrade was answered with something else; the body often says why. */
static struct verdict verdict_of_http(const struct ws_closed *c, struct rd_str *message)
{
    struct json_value body, error, code, text;
    char name[32];
    struct verdict v;

    (void)snprintf(name, sizeof(name), "http_%d", c->code);
    v = verdict(c->code >= 500 ? VERDICT_LOST : VERDICT_FATAL, rd_str(name),
                c->code >= 500 ? FIX("http_500") : FIX("http"));
    v.quiet_message = c->code == 401;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].status == c->code) {
            v = verdict(statuses[i].kind, rd_str(name), FIX(name));
            v.quiet_message = c->code == 401;
        }
    if (json_parse(c->reason, &body))
        return v;
    error = json_get(&body, "error");
    code = json_get(&error, "code");
    text = json_get(&error, "message");
    if (text.type == JSON_STRING)
        *message = text.raw;
    if (v.kind == VERDICT_FATAL && code.type == JSON_STRING) {
        struct verdict known;

        if (lookup(code.raw, &known) && known.fix) {
            known.kind = VERDICT_FATAL;
            known.end = LEG_REFUSED;
            return known;
        }
    }
    return v;
}

/* "invalid_request_error.invalid_api_key": the code is what follows the last dot. */
static struct rd_str code_in_reason(struct rd_str reason)
{
    const char *dot = reason.n > 0 ? memrchr(reason.p, '.', reason.n) : NULL;

    if (!dot)
        return reason;
    return (struct rd_str){dot + 1, reason.n - (size_t)(dot + 1 - reason.p)};
}

static struct verdict verdict_of_close_frame(const struct ws_closed *c)
{
    bool refused = c->code == 1008 || c->code == 3000 || (c->code >= 4000 && c->code <= 4999);
    struct verdict v;
    char name[32];

    if (lookup(code_in_reason(c->reason), &v) && v.kind == VERDICT_FATAL)
        return v;
    (void)snprintf(name, sizeof(name), "close_%d", c->code);
    v = verdict(refused ? VERDICT_FATAL : VERDICT_LOST, rd_str(name),
                refused ? FIX("close_3000") : NULL);
    if (c->code == 1000)
        v.end = LEG_CLOSED_BY_PEER;
    return v;
}

struct verdict verdict_of_closed(const struct ws_closed *c, struct rd_str *message)
{
    struct verdict v;

    *message = c->reason;
    switch (c->why) {
    case WS_END_REFUSED:
        return verdict_of_http(c, message);
    case WS_END_PEER:
        return verdict_of_close_frame(c);
    case WS_END_PROTOCOL:
        v = verdict(VERDICT_LOST, RD_STR("protocol"), FIX("protocol"));
        v.end = LEG_PROTOCOL;
        return v;
    case WS_END_OVERFLOW:
        return verdict(VERDICT_LOST, RD_STR("overflow"), NULL);
    case WS_END_US:
    case WS_END_LOST:
        break;
    }
    *message = c->err ? rd_str(rd_strerror(c->err)) : c->reason;
    if (c->err == RD_ETLS)
        return verdict(VERDICT_LOST, RD_STR("tls"), FIX("tls"));
    return verdict(VERDICT_LOST, RD_STR("connection_lost"), FIX("connection_lost"));
}
