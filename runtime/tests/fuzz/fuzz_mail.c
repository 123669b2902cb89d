/* SPDX-License-Identifier: Apache-2.0. module: io */
/* fuzz_mail.c - a mail of whatever words: no line is longer than 78 characters, none ends in anything but
 * CRLF, and the header has the lines that we write and no other. Lines of the input: subject, to,
 * id, the id that it answers; the rest: text and HTML. */
#include "check.h"

#include "io/mail.h"

#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Terminated; freed by the caller. A NUL ends it, as everywhere in C. */
static char *next_line(struct rd_str *in, bool all)
{
    const char *end = in->n > 0 && !all ? memchr(in->p, '\n', in->n) : NULL;
    size_t n = end ? (size_t)(end - in->p) : in->n;
    char *line = malloc(n + 1);

    check(line != NULL);
    if (n > 0)
        memcpy(line, in->p, n);
    line[n] = '\0';
    in->p += n + (end ? 1 : 0);
    in->n -= n + (end ? 1 : 0);
    return line;
}

static bool is_ours(const char *line, size_t n)
{
    static const char *const names[] = {"From:",
                                        "To:",
                                        "Subject:",
                                        "Date:",
                                        "Message-ID:",
                                        "In-Reply-To:",
                                        "References:",
                                        "Auto-Submitted:",
                                        "MIME-Version:",
                                        "Content-Type:",
                                        "Content-Transfer-Encoding:"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (n > strlen(names[i]) && strncmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return n > 1 && line[0] == ' '; /* goes on */
}

static void check_lines(struct rd_str text)
{
    bool head = true;
    unsigned seen = 0;

    while (text.n > 0) {
        const char *end = memmem(text.p, text.n, "\r\n", 2);
        size_t n = end ? (size_t)(end - text.p) : text.n;

        check(end && !memchr(text.p, '\r', n) && !memchr(text.p, '\n', n));
        check(n <= 998);
        for (size_t i = 0; i < n; i++)
            check((unsigned char)text.p[i] >= ' ' && (unsigned char)text.p[i] < 0x7f);
        if (head && n > 0)
            check(is_ours(text.p, n) && ++seen < 40 + 16);
        else
            check(n <= 78); /* quoted-printable: 76 and what is between parts */
        head = head && n > 0;
        text.p += n + 2;
        text.n -= n + 2;
    }
    check(!head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd_str in = {(const char *)data, size};
    char *subject = next_line(&in, false), *to = next_line(&in, false), *id = next_line(&in, false),
         *answers = next_line(&in, false), *text = next_line(&in, true);
    const char *const everybody[] = {"ann@example.com", *to ? to : NULL, NULL};
    const struct mail_letter m = {.from = "alerts@example.com",
                                  .to = everybody,
                                  .subject = subject,
                                  .text = text,
                                  .html = size % 2 ? text : NULL,
                                  .id = *id ? id : NULL,
                                  .answers = *answers ? answers : NULL};
    char why[MAIL_WHY_MAX] = "";
    struct buf out;

    buf_init(&out, 4 << 20);
    if (mail_write(&out, &m, 1795600000, why, sizeof(why)) == 0)
        check_lines((struct rd_str){out.data, out.n});
    else
        check(why[0] != '\0');
    buf_fini(&out);
    free(subject);
    free(to);
    free(id);
    free(answers);
    free(text);
    return 0;
}
