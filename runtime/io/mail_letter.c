/* SPDX-License-Identifier: Apache-2.0 */
/* mail_letter.c - a mail as it goes over the line.
 *
 * - Nothing that was given becomes a header line of its own: addresses are letters of a small set, a subject
 *   with anything else than plain ASCII is an encoded word (RFC 2047), in pieces that end between characters.
 * - Bodies are quoted-printable: lines of at most 76 characters and CRLF, whatever came, and a dot at
 *   the beginning is no end (curl doubles it).
 *
 * Failure: each is told with the word it is about; out of memory or too long leaves `out` unfinished. */
#include "base/err.h"
#include "io/mail.h"
#include "io/tls.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE_MAX_CHARS = 75, WORD_CHARS = 54, ID_BYTES = 12, BOUNDARY_BYTES = 12 };

/* --- addresses and ids --- */

static bool only(const char *p, size_t n, const char *marks)
{
    for (size_t i = 0; i < n; i++)
        if (!p[i] || (!isalnum((unsigned char)p[i]) && !strchr(marks, p[i])))
            return false;
    return n > 0;
}

bool mail_address_valid(const char *address)
{
    size_t n = address ? strnlen(address, MAIL_ADDRESS_MAX + 1) : 0;
    const char *at = n ? memchr(address, '@', n) : NULL;

    if (!at || n > MAIL_ADDRESS_MAX || (unsigned char)address[0] > 127 || at - address > 64)
        return false;
    return only(address, (size_t)(at - address), "!#$%&'*+/=?^_`{|}~.-") &&
           only(at + 1, strlen(at + 1), ".-") && address[0] != '.' && address[0] != '-' &&
           at[1] != '.' && at[1] != '-';
}

static bool is_id(const char *id)
{
    size_t n = strnlen(id, MAIL_ID_MAX + 1);

    return n <= MAIL_ID_MAX && only(id, n, "@._-+=");
}

static int random_hex(char *out, size_t n_bytes)
{
    uint8_t bytes[32];
    int rc = random_bytes(bytes, n_bytes);

    if (!rc)
        rd_hex(out, bytes, n_bytes);
    return rc;
}

/* --- encodings --- */

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            return false;
    return true;
}

/* In a word: a letter or digit as it is, a space (a line break too) as _, all others as =XX. */
static bool is_one(unsigned char c)
{
    return c <= ' ' || (isalnum(c) && c < 128);
}

/* How many bytes of text make the next encoded word: whole characters, as many as fit on a line. */
static size_t word_bytes(const char *text)
{
    size_t n = 0, chars = 0, left = strlen(text);

    while (left > n) {
        size_t one = rd_utf8_sequence(text + n, left - n);

        one = one ? one : 1;
        chars += one == 1 && is_one((unsigned char)text[n]) ? 1 : 3 * one;
        if (chars > WORD_CHARS)
            break;
        n += one;
    }
    return n;
}

/* One "Q" word, right in any header. */
static int add_word(struct buf *out, const char *text, size_t n)
{
    int rc = buf_add_str(out, "=?UTF-8?Q?");

    for (size_t i = 0; i < n && !rc; i++) {
        unsigned char c = (unsigned char)text[i];

        if (is_one(c))
            rc = buf_add(out, c <= ' ' ? "_" : text + i, 1);
        else
            rc = buf_addf(out, "=%02X", c);
    }
    return rc ? rc : buf_add_str(out, "?=");
}

static int add_subject(struct buf *out, const char *subject)
{
    int rc = buf_add_str(out, "Subject: ");

    if (is_plain(subject) && strlen(subject) <= LINE_MAX_CHARS - 9)
        return rc ? rc : buf_addf(out, "%s\r\n", subject);
    while (*subject && !rc) {
        size_t n = word_bytes(subject);

        rc = add_word(out, subject, n);
        subject += n;
        if (!rc && *subject)
            rc = buf_add_str(out, "\r\n ");
    }
    return rc ? rc : buf_add_str(out, "\r\n");
}

/* The length of the line end at p; 0: it is none. */
static size_t line_end(const char *p)
{
    return p[0] == '\r' && p[1] == '\n' ? 2 : p[0] == '\n' || p[0] == '\r' ? 1 : 0;
}

static int add_quoted(struct buf *out, const char *text)
{
    size_t column = 0, end;
    int rc = 0;

    for (const char *p = text; *p && !rc; p++) {
        unsigned char c = (unsigned char)*p;
        bool last = p[1] == '\0' || line_end(p + 1);
        bool plain = (c > ' ' && c < 0x7f && c != '=') || (c == ' ' && !last);

        end = line_end(p);
        if (end) {
            rc = buf_add_str(out, "\r\n");
            column = 0;
            p += end - 1;
            continue;
        }
        if (column + (plain ? 1 : 3) > LINE_MAX_CHARS) {
            rc = buf_add_str(out, "=\r\n");
            column = 0;
        }
        if (!rc)
            rc = plain ? buf_add(out, p, 1) : buf_addf(out, "=%02X", c);
        column += plain ? 1 : 3;
    }
    return rc ? rc : buf_add_str(out, "\r\n");
}

static int add_part(struct buf *out, const char *type, const char *text)
{
    int rc = buf_addf(out,
                      "Content-Type: text/%s; charset=UTF-8\r\n"
                      "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                      type);

    return rc ? rc : add_quoted(out, text);
}

static int add_body(struct buf *out, const struct mail_letter *m)
{
    char boundary[2 * BOUNDARY_BYTES + 1];
    int rc;

    if (!m->html || !*m->html)
        return add_part(out, "plain", m->text);
    rc = random_hex(boundary, BOUNDARY_BYTES); /* '=' of our text is quoted, so "=_" is in none */
    if (!rc)
        rc = buf_addf(out,
                      "Content-Type: multipart/alternative; boundary=\"=_%s\"\r\n\r\n--=_%s\r\n",
                      boundary, boundary);
    if (!rc)
        rc = add_part(out, "plain", m->text);
    if (!rc)
        rc = buf_addf(out, "--=_%s\r\n", boundary);
    if (!rc)
        rc = add_part(out, "html", m->html);
    return rc ? rc : buf_addf(out, "--=_%s--\r\n", boundary);
}

/* --- the whole --- */

static int refuse(char *why, size_t cap, const char *what, const char *about)
{
    (void)snprintf(why, cap, "%s%s%.80s%s", what, about ? ": \"" : "", about ? about : "",
                   about ? "\"" : "");
    return -EINVAL;
}

static int check(const struct mail_letter *m, char *why, size_t cap)
{
    size_t n = 0;

    if (!mail_address_valid(m->from))
        return refuse(why, cap, "the sender is no mail address", m->from);
    for (; m->to && m->to[n]; n++)
        if (!mail_address_valid(m->to[n]))
            return refuse(why, cap, "not a mail address", m->to[n]);
    if (n == 0 || n > MAIL_TO_MAX)
        return refuse(why, cap, "a mail goes to 1 to 16 addresses", NULL);
    if (!m->subject || strlen(m->subject) > MAIL_SUBJECT_MAX)
        return refuse(why, cap, "a subject has at most 400 bytes", NULL);
    if (!m->text || strlen(m->text) > MAIL_BODY_MAX || (m->html && strlen(m->html) > MAIL_BODY_MAX))
        return refuse(why, cap, "a mail's text has at most 256 KiB", NULL);
    if ((m->id && !is_id(m->id)) || (m->answers && !is_id(m->answers)))
        return refuse(why, cap, "a mail's id has letters, digits and @ . _ - only", NULL);
    return 0;
}

static int add_to(struct buf *out, const char *const *to)
{
    int rc = buf_add_str(out, "To: ");

    for (size_t i = 0; to[i] && !rc; i++)
        rc = buf_addf(out, "%s%s", i ? ",\r\n " : "", to[i]);
    return rc ? rc : buf_add_str(out, "\r\n");
}

static int add_date(struct buf *out, int64_t unix_s)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t at = (time_t)unix_s;
    struct tm tm;

    if (!gmtime_r(&at, &tm))
        return -EINVAL;
    return buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
                    tm.tm_mday, months[tm.tm_mon], 1900 + tm.tm_year, tm.tm_hour, tm.tm_min,
                    tm.tm_sec);
}

static int add_ids(struct buf *out, const struct mail_letter *m)
{
    char hex[2 * ID_BYTES + 1];
    int rc = 0;

    if (m->id) {
        rc = buf_addf(out, "Message-ID: <%s>\r\n", m->id);
    } else {
        rc = random_hex(hex, ID_BYTES);
        if (!rc)
            rc = buf_addf(out, "Message-ID: <%s%s>\r\n", hex, strchr(m->from, '@'));
    }
    if (!rc && m->answers)
        rc = buf_addf(out, "In-Reply-To: <%s>\r\nReferences: <%s>\r\n", m->answers, m->answers);
    return rc;
}

int mail_write(struct buf *out, const struct mail_letter *m, int64_t unix_s, char *why, size_t cap)
{
    int rc = check(m, why, cap);

    if (rc)
        return rc;
    rc = buf_addf(out, "From: %s\r\n", m->from);
    if (!rc)
        rc = add_to(out, m->to);
    if (!rc)
        rc = add_subject(out, m->subject);
    if (!rc)
        rc = add_date(out, unix_s);
    if (!rc)
        rc = add_ids(out, m);
    if (!rc)
        rc = buf_add_str(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    if (!rc)
        rc = add_body(out, m);
    if (rc)
        (void)snprintf(why, cap, "%s", rd_strerror(rc));
    return rc;
}
