/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_event.c - one error as Sentry's JSON. Pure, on the worker's thread.
 *
 *   type      the code: the event, or the alarm's kind
 *   value     what the catalogue says it means; of a Lua error, what Lua itself says
 *   frames    of a Lua traceback
 *   tags      node, agent, system, where
 *   user      a hash of the number, when the line has one
 *   extra     all other fields, scrubbed by type
 *
 * What an agent's file says when it raises may hold what a caller said, and cannot be told from a message
 * that does not: only Lua's own messages are passed on; where it was raised always is. */
#include "base/err.h"
#include "base/log_line.h"
#include "observe/catalogue.h"
#include "observe/sentry.h"
#include "observe/sentry_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool next_field(const struct sentry_record *r, size_t *at, enum log_type *type,
                       const char **key, const char **value)
{
    if (*at >= r->n)
        return false;
    *type = (enum log_type)(r->packed[*at] - '0');
    *key = r->packed + *at + 1;
    *value = *key + strlen(*key) + 1;
    *at = (size_t)(*value - r->packed) + strlen(*value) + 1;
    return true;
}

const char *sentry_field(const struct sentry_record *r, const char *key)
{
    const char *k, *value;
    enum log_type type;
    size_t at = 0;

    while (next_field(r, &at, &type, &k, &value))
        if (strcmp(k, key) == 0)
            return value;
    return NULL;
}

int sentry_add_string(struct buf *out, const char *text, size_t max, bool scrub)
{
    struct rd_str s = {text, strnlen(text, max)};
    struct buf clean;
    int rc;

    buf_init(&clean, 16 * max + 64);
    rc = scrub ? sentry_scrub(&clean, s) : buf_add(&clean, s.p, s.n);
    if (!rc)
        rc = buf_add_str(out, "\"");
    if (!rc)
        rc = buf_add_json(out, (struct rd_str){clean.data, clean.n});
    buf_fini(&clean);
    return rc ? rc : buf_add_str(out, "\"");
}

int sentry_add_member(struct buf *out, const char *key, const char *text, size_t max, bool scrub)
{
    int rc;

    if (!text || !*text)
        return 0;
    rc = buf_addf(out, ",\"%s\":", key);
    return rc ? rc : sentry_add_string(out, text, max, scrub);
}

/* --- what happened --- */

/* NULL: they are somebody's own words. */
static const char *lua_says(const char *error)
{
    static const char *const known[] = {"attempt to ",    "bad argument #",    "stack overflow",
                                        "not enough mem", "assertion failed!", "C stack overflow"};
    const char *best = NULL;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char *at = strstr(error, known[i]);

        /* Directly behind "file:line: ", or at the beginning. */
        if (at && (at == error || (at > error + 2 && strncmp(at - 2, ": ", 2) == 0 &&
                                   at[-3] >= '0' && at[-3] <= '9')))
            best = !best || at < best ? at : best;
    }
    return best;
}

static const char *type_of(const struct sentry_record *r)
{
    const char *kind = strcmp(r->event, "alarm") == 0 ? sentry_field(r, "kind") : NULL;

    return kind ? kind : r->event;
}

static int add_lua_value(struct buf *out, const char *traceback)
{
    const char *says = lua_says(traceback);
    char line[256];

    if (!says)
        return sentry_add_string(out, "raised by a script; what it said is in the node's log",
                                 SENTRY_TEXT_MAX, false);
    rd_str_copy(line, sizeof(line), (struct rd_str){says, strcspn(says, "\n")});
    return sentry_add_string(out, line, sizeof(line), true);
}

static int add_value(struct buf *out, const struct sentry_record *r, const char *traceback)
{
    const char *code = type_of(r), *text = sentry_field(r, "text");
    const struct error_info *info = catalogue_find(code);

    if (traceback)
        return add_lua_value(out, traceback);
    if (info)
        return sentry_add_string(out, info->meaning, SENTRY_TEXT_MAX, false);
    return sentry_add_string(out, text ? text : code, SENTRY_TEXT_MAX, true);
}

static int add_exception(struct buf *out, const struct sentry_record *r)
{
    const char *traceback = sentry_field(r, "traceback");
    int rc = buf_add_str(out, ",\"exception\":{\"values\":[{\"type\":");

    if (!rc)
        rc = sentry_add_string(out, type_of(r), SENTRY_TAG_MAX, false);
    if (!rc)
        rc = buf_add_str(out, ",\"value\":");
    if (!rc)
        rc = add_value(out, r, traceback);
    if (!rc)
        rc = buf_add_str(out, ",\"mechanism\":{\"type\":\"generic\",\"handled\":true}");
    if (!rc && traceback) {
        rc = buf_add_str(out, ",\"stacktrace\":{\"frames\":");
        if (!rc)
            rc = sentry_frames(out, traceback);
        if (!rc)
            rc = buf_add_str(out, "}");
    }
    return rc ? rc : buf_add_str(out, "}]}");
}

/* --- about it --- */

/* Tags: one line, short. */
static const char *const tags[] = {"agent", "system", "in", "kind", "severity"};

static bool is_tag(const char *key)
{
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (strcmp(key, tags[i]) == 0)
            return true;
    return false;
}

static int add_tags(struct buf *out, const struct sentry_record *r, const struct sentry_about *a)
{
    int rc = buf_add_str(out, ",\"tags\":{\"node\":");
    char line[SENTRY_TAG_MAX];

    if (!rc)
        rc = sentry_add_string(out, a->node, SENTRY_TAG_MAX, false);
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]) && !rc; i++) {
        const char *value = sentry_field(r, tags[i]);

        rd_str_copy(line, sizeof(line),
                    (struct rd_str){value ? value : "", value ? strcspn(value, "\r\n") : 0});
        rc = sentry_add_member(out, tags[i], line, SENTRY_TAG_MAX, true);
    }
    return rc ? rc : buf_add_str(out, "}");
}

static bool is_number(const char *value)
{
    char *end;

    strtod(value, &end);
    return end > value && !*end && !strpbrk(value, "nNiIxX");
}

static int add_field(struct buf *out, enum log_type type, const char *key, const char *value)
{
    char shown[64];

    if (type == LOG_T_PHONE) {
        log_phone(shown, sizeof(shown), value);
        return sentry_add_member(out, key, strcmp(shown, value) == 0 ? shown : "[phone]",
                                 sizeof(shown), false);
    }
    if ((type == LOG_T_INT || type == LOG_T_DOUBLE) && is_number(value))
        return buf_addf(out, ",\"%s\":%s", key, value);
    return sentry_add_member(out, key, value, SENTRY_TEXT_MAX, true);
}

/* What a script said stays here. */
static bool stays(const char *key, bool lua)
{
    static const char *const words[] = {"error", "why", "what", "text", "traceback"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && lua; i++)
        if (strcmp(key, words[i]) == 0)
            return true;
    return strcmp(key, "call") == 0 || strcmp(key, "traceback") == 0 || is_tag(key);
}

static int add_extra(struct buf *out, const struct sentry_record *r)
{
    bool lua = sentry_field(r, "traceback") != NULL;
    int rc = buf_addf(out, ",\"extra\":{\"repeated\":%" PRIu64, r->repeated);
    const char *key, *value;
    enum log_type type;
    size_t at = 0;

    while (!rc && next_field(r, &at, &type, &key, &value))
        if (!stays(key, lua))
            rc = add_field(out, type, key, value);
    return rc ? rc : buf_add_str(out, "}");
}

static int add_user(struct buf *out, const struct sentry_record *r, const struct sentry_about *a)
{
    const char *key, *value;
    enum log_type type;
    char hash[65] = "";
    size_t at = 0;

    while (a->who && !*hash && next_field(r, &at, &type, &key, &value))
        if (type == LOG_T_PHONE && *value == '+')
            a->who(a->arg, value, hash);
    return *hash ? buf_addf(out, ",\"user\":{\"id\":\"hmac:%s\"}", hash) : 0;
}

static int add_contexts(struct buf *out, const struct sentry_record *r)
{
    const char *call = sentry_field(r, "call");
    int rc = buf_addf(
        out, ",\"contexts\":{\"os\":{\"name\":\"Linux\"}%s",
        sentry_field(r, "traceback") ? ",\"runtime\":{\"name\":\"lua\",\"version\":\"5.4\"}" : "");

    if (!rc && call) {
        rc = buf_add_str(out, ",\"call\":{\"call_sid\":");
        if (!rc)
            rc = sentry_add_string(out, call, SENTRY_TAG_MAX, true);
        if (!rc)
            rc = buf_add_str(out, "}");
    }
    return rc ? rc : buf_add_str(out, "}");
}

static const char *level_name(enum log_level l)
{
    return l == LOG_ERROR ? "error" : l == LOG_WARN ? "warning" : "info";
}

int sentry_add_time(struct buf *out, int64_t unix_ms)
{
    return buf_addf(out, "\"timestamp\":%" PRId64 ".%03d", unix_ms / 1000, (int)(unix_ms % 1000));
}

static int add_crumbs(struct buf *out, const struct sentry_crumb *crumbs, size_t n)
{
    int rc = buf_add_str(out, ",\"breadcrumbs\":{\"values\":[");

    for (size_t i = 0; i < n && !rc; i++) {
        rc = buf_add_str(out, i ? ",{" : "{");
        if (!rc)
            rc = sentry_add_time(out, crumbs[i].unix_ms);
        if (!rc)
            rc = buf_addf(out,
                          ",\"type\":\"default\",\"category\":\"%s\",\"level\":\"%s\","
                          "\"message\":\"%s\",\"data\":{%s}}",
                          crumbs[i].fact ? "call" : "log", level_name(crumbs[i].level),
                          crumbs[i].event, crumbs[i].members);
    }
    return rc ? rc : buf_add_str(out, "]}");
}

static int add_head(struct buf *out, const struct sentry_record *r, const struct sentry_about *a)
{
    int rc = buf_addf(out, "{\"event_id\":\"%s\",", a->id);

    if (!rc)
        rc = sentry_add_time(out, r->unix_ms);
    if (!rc)
        rc = buf_addf(out, ",\"platform\":\"%s\",\"level\":\"%s\"",
                      sentry_field(r, "traceback") ? "other" : "native", level_name(r->level));
    if (!rc)
        rc = sentry_add_member(out, "logger", r->event, SENTRY_TAG_MAX, false);
    if (!rc)
        rc = sentry_add_member(out, "server_name", a->node, SENTRY_TAG_MAX, false);
    if (!rc)
        rc = sentry_add_member(out, "release", a->release, SENTRY_TAG_MAX, false);
    if (!rc)
        rc = sentry_add_member(out, "environment", a->environment, SENTRY_TAG_MAX, false);
    return rc;
}

int sentry_event(struct buf *out, const struct sentry_record *r, const struct sentry_about *a,
                 const struct sentry_crumb *crumbs, size_t n)
{
    int rc = add_head(out, r, a);

    if (!rc)
        rc = add_exception(out, r);
    if (!rc)
        rc = add_tags(out, r, a);
    if (!rc)
        rc = add_user(out, r, a);
    if (!rc)
        rc = add_contexts(out, r);
    if (!rc)
        rc = add_crumbs(out, crumbs, n);
    if (!rc)
        rc = buf_add_str(out, ",\"fingerprint\":[\"{{ default }}\",");
    if (!rc)
        rc = sentry_add_string(out, type_of(r), SENTRY_TAG_MAX, false);
    if (!rc)
        rc = buf_add_str(out, "]");
    if (!rc)
        rc = add_extra(out, r);
    return rc ? rc : buf_add_str(out, "}");
}
