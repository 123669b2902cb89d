/* SPDX-License-Identifier: Apache-2.0. module: base */
/* fuzz_log.c - whatever somebody says, in a line of the log. It stays one line without control characters, in
 * UTF-8; as JSON it is one object; of a number it shows at most a country and two digits, of a secret
 * nothing. Scrubbing finds numbers, keys and addresses whatever stands before them. */
#include "check.h"

#include "base/json.h"
#include "base/log_line.h"
#include "base/scrub.h"

#include <ctype.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(struct rd_str line)
{
    check(line.n > 0 && line.n <= LOG_LINE_MAX && line.p[line.n - 1] == '\n');
    line.n--;
    while (line.n > 0) {
        size_t n = rd_utf8_sequence(line.p, line.n);

        check(n > 0 && (unsigned char)line.p[0] >= ' ' && line.p[0] != 0x7f);
        line.p += n;
        line.n -= n;
    }
}

static void try_line(enum log_format format, const char *text)
{
    const struct log_field fields[] = {
        F_CALL(text),          F_STR("why", text),    F_PHONE("from", text),
        F_WORDS("text", text), F_SECRET("key", text), F_RAISED("raised", text),
        F_INT("n", -1),        F_DOUBLE("d", 0.5),    F_ERR(-1)};
    struct log_fact fact = {LOG_INFO, "call.started", INT64_C(1795600000000), fields,
                            sizeof(fields) / sizeof(fields[0])};
    struct json_value v;
    struct buf out;

    buf_init(&out, LOG_LINE_MAX);
    check(log_line(&out, format, &fact) == 0);
    check_line((struct rd_str){out.data, out.n});
    if (format == LOG_JSON)
        check(json_parse((struct rd_str){out.data, out.n}, &v) == 0 && v.type == JSON_OBJECT);
    buf_fini(&out);
}

/* A number and nothing else: its middle is not shown. */
static void try_phone(const char *text)
{
    char shown[64];
    size_t n = strlen(text), digits = 0;

    log_phone(shown, sizeof(shown), text);
    for (const char *p = shown; *p; p++)
        digits += isdigit((unsigned char)*p) != 0;
    if (text[0] == '+' && n >= 9 && strspn(text + 1, "0123456789") == n - 1)
        check(digits <= 5);
}

/* Whatever stands before them: a number, a key and a mail address in a line of their own are found. */
static void try_scrub(struct rd_str text)
{
    static const char known[] = "\ncall +13125550142 now\nsk-proj-abcdefghijklmnopqrstuvwx0123\n"
                                "ann@example.com\n";
    static const char shown[] = " [phone] now\n[key]\n[mail]\n";
    struct buf in, out;

    buf_init(&in, text.n + sizeof(known));
    buf_init(&out, 16 * (text.n + sizeof(known)));
    check(buf_add(&in, text.p, text.n) == 0 && buf_add_str(&in, known) == 0);
    check(scrub_text(&out, (struct rd_str){in.data, in.n}) == 0);
    check(out.n >= sizeof(shown) - 1);
    check(memcmp(out.data + out.n - (sizeof(shown) - 1), shown, sizeof(shown) - 1) == 0);
    buf_fini(&in);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    try_line(LOG_LOGFMT, text);
    try_line(LOG_JSON, text);
    try_phone(text);
    try_scrub((struct rd_str){(const char *)data, size});
    free(text);
    return 0;
}
