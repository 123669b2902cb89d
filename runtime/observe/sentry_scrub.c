/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_scrub.c - what of a text may leave this machine, and what a traceback says.
 *
 *   text ─▶ redact_text (cards, social security) ─▶ phone numbers ─▶ word by word: addresses, keys, mails
 *
 * It rather takes too much: a long number that is no phone number is taken for one. */
#include "base/redact.h"
#include "observe/sentry.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { PHONE_DIGITS = 10, PHONE_DIGITS_PLUS = 7, KEY_CHARS = 24, SID_CHARS = 34 };

static const char between_words[] = " \t\r\n\"'<>(),;";

/* How many bytes from here are a phone number; 0: none. */
static size_t phone_at(const char *p, size_t n)
{
    size_t digits = 0, end = 0;

    for (size_t i = 0; i < n; i++) {
        if (isdigit((unsigned char)p[i])) {
            digits++;
            end = i + 1;
        } else if (!(i == 0 && p[i] == '+') && (!p[i] || !strchr(" ()-./", p[i]) || i > end + 2)) {
            break;
        }
    }
    if (end < n && isalpha((unsigned char)p[end]))
        return 0; /* an id */
    return digits >= PHONE_DIGITS || (*p == '+' && digits >= PHONE_DIGITS_PLUS) ? end : 0;
}

static bool starts(struct rd_str w, const char *with)
{
    return w.n >= strlen(with) && strncasecmp(w.p, with, strlen(with)) == 0;
}

static bool is_call(struct rd_str w)
{
    if (w.n != SID_CHARS || strncmp(w.p, "CA", 2) != 0)
        return false;
    for (size_t i = 2; i < w.n; i++)
        if (!isxdigit((unsigned char)w.p[i]))
            return false;
    return true;
}

/* Does it hold a run as long as keys are, of letters and digits? */
static bool is_key(struct rd_str w)
{
    size_t run = 0;
    bool digit = false, letter = false;

    if (starts(w, "sk-") || starts(w, "whsec_") || starts(w, "xox"))
        return true;
    for (size_t i = 0; i < w.n; i++) {
        unsigned char c = (unsigned char)w.p[i];

        if (!isalnum(c) && c != '-' && c != '_' && c != '+' && c != '=') {
            run = 0;
            digit = letter = false;
            continue;
        }
        run++;
        digit |= isdigit(c) != 0;
        letter |= isalpha(c) != 0;
        if (run >= KEY_CHARS && digit && letter)
            return true;
    }
    return false;
}

/* "token=…", "api_key:…": where the value begins; 0: it is none of these. */
static size_t named_secret(struct rd_str w)
{
    static const char *const names[] = {"token",    "key",    "secret",
                                        "password", "passwd", "authorization"};
    const char *eq = memchr(w.p, '=', w.n), *colon = memchr(w.p, ':', w.n);
    size_t at = eq ? (size_t)(eq - w.p) : colon ? (size_t)(colon - w.p) : 0;

    for (size_t i = 0; at && i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);

        if (at >= len && strncasecmp(w.p + at - len, names[i], len) == 0)
            return at + 1;
    }
    return 0;
}

static int add_address(struct buf *out, struct rd_str w, const char *host)
{
    const char *end = w.p + w.n, *q = host, *at = NULL;
    int rc = buf_add(out, w.p, (size_t)(host - w.p));

    for (const char *p = host; p < end && *p != '/' && *p != '?'; p++)
        at = *p == '@' ? p : at;
    host = at ? at + 1 : host;
    for (q = host; q < end && *q != '?' && *q != '#';)
        q++;
    if (!rc)
        rc = is_key((struct rd_str){host, (size_t)(q - host)})
                 ? buf_add_str(out, "[address]")
                 : buf_add(out, host, (size_t)(q - host));
    return rc || q == end ? rc : buf_add_str(out, "?[query]");
}

static int add_word(struct buf *out, struct rd_str w, bool after_bearer)
{
    const char *scheme = memmem(w.p, w.n, "://", 3), *at = memchr(w.p, '@', w.n);
    size_t value = scheme ? 0 : named_secret(w);
    int rc;

    if (scheme)
        return add_address(out, w, scheme + 3);
    if (value && value < w.n) {
        rc = buf_add(out, w.p, value);
        return rc ? rc : buf_add_str(out, "[key]");
    }
    if (at && at > w.p && memchr(at, '.', w.n - (size_t)(at - w.p)))
        return buf_add_str(out, "[mail]");
    if (after_bearer || (is_key(w) && !is_call(w)))
        return buf_add_str(out, "[key]");
    return buf_add(out, w.p, w.n);
}

static int scrub_redacted(struct buf *out, const char *p, size_t n)
{
    bool bearer = false;
    int rc = 0;

    for (size_t i = 0, k; i < n && !rc; i += k) {
        bool start = i == 0 || !isalnum((unsigned char)p[i - 1]);

        k = start && (p[i] == '+' || p[i] == '(' || isdigit((unsigned char)p[i]))
                ? phone_at(p + i, n - i)
                : 0;
        if (k > 0) {
            rc = buf_add_str(out, "[phone]");
            continue;
        }
        while (i + k < n && !strchr(between_words, p[i + k]) && p[i + k])
            k++;
        if (k == 0) {
            k = 1;
            rc = buf_add(out, p + i, 1);
            continue;
        }
        rc = add_word(out, (struct rd_str){p + i, k}, bearer);
        bearer = starts((struct rd_str){p + i, k}, "bearer") ||
                 starts((struct rd_str){p + i, k}, "basic");
    }
    return rc;
}

int sentry_scrub(struct buf *out, struct rd_str text)
{
    struct buf clean;
    int rc;

    buf_init(&clean, 8 * text.n + 64);
    rc = redact_text(&clean, text);
    if (!rc)
        rc = scrub_redacted(out, clean.data ? clean.data : "", clean.n);
    buf_fini(&clean);
    return rc;
}

/* --- tracebacks --- */

enum { FRAMES_MAX = 100 };

static bool has(struct rd_str s, const char *what)
{
    return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static int add_text(struct buf *out, const char *key, struct rd_str s)
{
    int rc = buf_addf(out, "\"%s\":\"", key);

    if (!rc)
        rc = buf_add_json(out, s);
    return rc ? rc : buf_add_str(out, "\"");
}

/* "agents/x.lua:12: in function 'name'", "[C]: in function 'error'" */
static int add_frame(struct buf *out, struct rd_str line, bool first)
{
    const char *in = memmem(line.p, line.n, ": in ", 5), *p;
    struct rd_str file, name = {"?", 1};
    unsigned long lineno = 0, unit = 1;
    bool lua, ours;
    int rc;

    if (!in)
        return 0;
    file = (struct rd_str){line.p, (size_t)(in - line.p)};
    for (p = in; p > line.p && isdigit((unsigned char)p[-1]); unit *= 10)
        lineno += unit * (unsigned long)(*--p - '0');
    if (p > line.p && p < in && p[-1] == ':')
        file.n = (size_t)(p - 1 - line.p);
    if (in + 5 < line.p + line.n)
        name = (struct rd_str){in + 5, (size_t)(line.p + line.n - in - 5)};
    lua = has(file, ".lua");
    ours = has(file, "scripts/ringdown/") || starts(file, "ringdown/");
    rc = buf_add_str(out, first ? "{" : ",{");
    if (!rc)
        rc = add_text(out, "filename", file);
    if (!rc)
        rc = buf_add_str(out, ",");
    if (!rc)
        rc = add_text(out, "function", name);
    if (!rc && lineno)
        rc = buf_addf(out, ",\"lineno\":%lu", lineno);
    return rc ? rc : buf_addf(out, ",\"in_app\":%s}", lua && !ours ? "true" : "false");
}

int sentry_frames(struct buf *out, const char *traceback)
{
    const char *p = strstr(traceback, "stack traceback:");
    struct rd_str lines[FRAMES_MAX];
    size_t n = 0, start;
    int rc = buf_add_str(out, "[");

    for (p = p ? strchr(p, '\n') : NULL; p && n < FRAMES_MAX; p = strchr(p, '\n')) {
        p += 1 + strspn(p + 1, "\t ");
        lines[n++] = (struct rd_str){p, strcspn(p, "\n")};
    }
    start = out->n;
    for (size_t i = n; i > 0 && !rc; i--) {
        size_t before = out->n;

        rc = add_frame(out, lines[i - 1], before == start);
    }
    return rc ? rc : buf_add_str(out, "]");
}
