/* SPDX-License-Identifier: Apache-2.0 */
/* log_line.c - one fact as one line of logfmt or JSON.
 *
 *   - level, ts and ev come first, then the fields in the order given
 *   - values are cut at LOG_VALUE_MAX bytes, control characters and broken UTF-8 never reach a
 * terminal
 *   - the field's type says what may be seen: numbers of callers keep the country and two digits,
 *     words are shown by debug lines only, secrets are only said to be there
 *   - card and social security numbers are taken out of every sentence */
#include "base/log_line.h"

#include "base/err.h"
#include "base/redact.h"
#include "base/scrub.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TAIL_BYTES = 32 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* Country codes of two digits (ITU E.164); 1 and 7 have one, all others three. */
static bool two_digit_country(const char *p)
{
    static const char codes[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 "
                                "55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";

    for (const char *c = codes; *c; c += c[2] ? 3 : 2)
        if (c[0] == p[0] && c[1] == p[1])
            return true;
    return false;
}

static int country_digits(const char *digits)
{
    if (digits[0] == '1' || digits[0] == '7')
        return 1;
    return two_digit_country(digits) ? 2 : 3;
}

void log_phone(char *out, size_t cap, const char *number)
{
    static const char *const words[] = {"",         "anonymous",   "unknown", "restricted",
                                        "withheld", "unavailable", "private"};
    const char *colon = strchr(number, ':');
    size_t n = strlen(number);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(number, words[i]) == 0) {
            snprintf(out, cap, "%s", number);
            return;
        }
    }
    if (number[0] == '+' && n >= 9 && strspn(number + 1, "0123456789") == n - 1)
        snprintf(out, cap, "+%.*s..%s", country_digits(number + 1), number + 1, number + n - 2);
    else if (colon && strncmp(number, "client", (size_t)(colon - number)) == 0)
        snprintf(out, cap, "client:..");
    else if (colon && strncmp(number, "sip", 3) == 0)
        snprintf(out, cap, "sip:..");
    else
        snprintf(out, cap, "..");
}

/* Bytes of at most `max` that end between two characters. */
static size_t cut(const char *z, size_t max)
{
    size_t n = strnlen(z, max + 1);

    if (n <= max)
        return n;
    n = max;
    while (n > 0 && ((unsigned char)z[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static bool plain(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return n > 0;
}

static int add_text(struct buf *out, enum log_format format, const char *text)
{
    size_t n = cut(text, LOG_VALUE_MAX);
    int rc;

    if (format == LOG_LOGFMT && plain(text, n))
        return buf_add(out, text, n);
    rc = buf_add(out, "\"", 1);
    if (!rc)
        rc = buf_add_json(out, (struct rd_str){text, n});
    if (!rc && text[n])
        rc = buf_add_str(out, "...");
    return rc ? rc : buf_add(out, "\"", 1);
}

typedef int(clean_fn)(struct buf *out, struct rd_str text);

static int add_clean(struct buf *out, enum log_format format, const char *text, clean_fn *cleaned)
{
    struct rd_str looked_at = {text, cut(text, 2 * (size_t)LOG_VALUE_MAX)};
    struct buf clean;
    int rc;

    buf_init(&clean, 8 * looked_at.n + 64);
    rc = cleaned(&clean, looked_at);
    if (!rc)
        rc = add_text(out, format, buf_text(&clean) ? clean.data : "");
    buf_fini(&clean);
    return rc;
}

/* An error may quote what a caller said. Names, ids and addresses have no spaces, and stay. */
static int add_sentence(struct buf *out, enum log_format format, const char *text)
{
    return strchr(text, ' ') ? add_clean(out, format, text, redact_text)
                             : add_text(out, format, text);
}

static int add_key(struct buf *out, enum log_format format, const char *key)
{
    if (format == LOG_LOGFMT)
        return buf_addf(out, " %s=", key);
    return buf_addf(out, ",\"%s\":", key);
}

static int add_value(struct buf *out, enum log_format format, enum log_level level,
                     const struct log_field *f)
{
    const char *text = f->str ? f->str : "";
    char shown[64];

    switch (f->type) {
    case LOG_T_INT:
        return buf_addf(out, "%" PRId64, f->num);
    case LOG_T_DOUBLE:
        if (!isfinite(f->real))
            return add_text(out, format, "none");
        return buf_addf(out, "%.6g", f->real);
    case LOG_T_ERR:
        return add_text(out, format, rd_strerror((int)f->num));
    case LOG_T_PHONE:
        log_phone(shown, sizeof(shown), text);
        return add_text(out, format, shown);
    case LOG_T_WORDS:
        if (level == LOG_DEBUG)
            return add_clean(out, format, text, redact_text);
        snprintf(shown, sizeof(shown), "(%zu bytes)", strlen(text));
        return add_text(out, format, shown);
    case LOG_T_SECRET:
        return add_text(out, format, *text ? "(set)" : "(empty)");
    case LOG_T_RAISED:
        return add_clean(out, format, text, scrub_text);
    case LOG_T_STR:
        break;
    }
    return add_sentence(out, format, text);
}

static int add_field(struct buf *out, enum log_format format, enum log_level level,
                     const struct log_field *f)
{
    size_t start = out->n;
    int rc = add_key(out, format, f->key);

    if (!rc)
        rc = add_value(out, format, level, f);
    if (!rc && f->type == LOG_T_ERR && f->num != 0) {
        rc = add_key(out, format, "code");
        if (!rc)
            rc = buf_addf(out, "%" PRId64, f->num);
    }
    if (rc)
        out->n = start;
    return rc;
}

static int add_head(struct buf *out, enum log_format format, const struct log_fact *f)
{
    time_t seconds = (time_t)(f->unix_ms / 1000);
    char ts[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(ts, sizeof(ts), "%Y-%m-%dT%H:%M:%S", &tm);
    if (format == LOG_LOGFMT)
        return buf_addf(out, "level=%s ts=%s.%03dZ ev=%s", level_names[f->level], ts,
                        (int)(f->unix_ms % 1000), f->event);
    return buf_addf(out, "{\"level\":\"%s\",\"ts\":\"%s.%03dZ\",\"ev\":\"%s\"",
                    level_names[f->level], ts, (int)(f->unix_ms % 1000), f->event);
}

int log_line(struct buf *out, enum log_format format, const struct log_fact *f)
{
    const struct log_field left_out = F_INT("left_out", 1);
    size_t start = out->n;
    bool all = true;
    int rc;

    if (out->max < start + TAIL_BYTES)
        return RD_EFULL;
    rc = add_head(out, format, f);
    /* A field keeps its hands off the room that the end of the line needs. */
    out->max -= TAIL_BYTES;
    for (int i = 0; i < f->n && !rc; i++)
        if (add_field(out, format, f->level, &f->fields[i]))
            all = false;
    out->max += TAIL_BYTES;
    if (!rc && !all)
        rc = add_field(out, format, f->level, &left_out);
    if (!rc)
        rc = buf_add_str(out, format == LOG_LOGFMT ? "\n" : "}\n");
    if (rc)
        out->n = start;
    return rc;
}
