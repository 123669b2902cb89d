/* SPDX-License-Identifier: Apache-2.0. module: gateway */
/* fuzz_record.c - whatever a caller, a model or a script says, in every type of record. Besides not
 * crashing: a record is one JSON object that our reader accepts, and stays one when it is far too
 * long and the journal cuts it. */
#include "base/json.h"
#include "gateway/record_json.h"
#include "store/journal_private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum record_type worded[] = {RECORD_STATE, RECORD_TURN,     RECORD_TOOL,
                                          RECORD_ERROR, RECORD_NOTICE,   RECORD_PAUSE,
                                          RECORD_ENDED, RECORD_OPERATOR, RECORD_TRANSFER};

static void check(bool held)
{
    if (!held)
        abort();
}

static bool is_object(const struct buf *b)
{
    struct json_value v;

    return json_parse((struct rd_str){b->data, b->n}, &v) == 0 && v.type == JSON_OBJECT;
}

static void try_record(enum record_type type, struct rd_str words)
{
    static const struct call_totals totals;
    struct rd_str half = {words.p, words.n / 2};
    struct directory_view call = {.sid = "CA5f1d0e7a29b84c36a1e0d9c7b6a59483"};
    const struct record r = {.type = type,
                             .role = PROVIDER_CALLER,
                             .id = half,
                             .name = half,
                             .text = words,
                             .said = half,
                             .done = words.n % 2,
                             .totals = &totals};
    struct buf out;

    (void)rd_str_copy(call.from, sizeof(call.from), words);
    (void)rd_str_copy(call.agent, sizeof(call.agent), half);
    buf_init(&out, 1 << 20);
    check(record_json(&out, &call, &r) == 0);
    check(is_object(&out));
    buf_fini(&out);
}

/* The same words over and over, until no body may be that long. */
static void try_cut(struct rd_str words)
{
    struct buf body, cut;

    if (words.n == 0)
        return;
    buf_init(&body, 2 * JOURNAL_BODY_MAX + words.n);
    buf_init(&cut, JOURNAL_BODY_MAX);
    while (body.n <= JOURNAL_BODY_MAX)
        check(buf_add(&body, words.p, words.n) == 0);
    check(journal_body_cut((struct rd_str){body.data, body.n}, &cut) == 0);
    check(is_object(&cut));
    buf_fini(&cut);
    buf_fini(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rd_str words = {(const char *)data, size};

    for (size_t i = 0; i < sizeof(worded) / sizeof(worded[0]); i++)
        try_record(worded[i], words);
    try_cut(words);
    return 0;
}
