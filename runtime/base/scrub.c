/* SPDX-License-Identifier: Apache-2.0 */
/* scrub.c - what of a text may be shown to whoever is not in the call.
 *
 *   text ─▶ redact_text (cards, social security) ─▶ phone numbers ─▶ word by word: addresses, keys, mails
 *
 * It rather takes too much: a long number that is no phone number is taken for one. */
#include "base/scrub.h"

#include "base/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { PHONE_DIGITS = 10, PHONE_DIGITS_PLUS = 7, KEY_CHARS = 24, SID_CHARS = 34 };

static const char between_words[] = " \t\r\n\"'<>(),;";

/* How many bytes from here are a phone number; 0: none. What begins with digits and goes on with letters is
 * an id, unless a number stands before it by itself: "312 555 0142 2nd floor". */
static size_t phone_at(const char *p, size_t n)
{
    size_t digits = 0, end = 0, words_digits = 0, words_end = 0;

    for (size_t i = 0; i < n; i++) {
        if (isdigit((unsigned char)p[i])) {
            digits++;
            end = i + 1;
            continue;
        }
        if (p[i] && strchr(" ()", p[i])) {
            words_digits = digits;
            words_end = end;
        }
        if (!(i == 0 && p[i] == '+') && (!p[i] || !strchr(" ()-./", p[i]) || i > end + 2)) {
            break;
        }
    }
    if (end < n && isalpha((unsigned char)p[end])) {
        digits = words_digits;
        end = words_end;
    }
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

int scrub_text(struct buf *out, struct rd_str text)
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
