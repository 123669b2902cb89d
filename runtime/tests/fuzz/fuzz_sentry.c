/* SPDX-License-Identifier: Apache-2.0. module: observe */
/* fuzz_sentry.c - an error with whatever words in it, as it leaves for Sentry: one JSON object in an envelope,
 * whatever traceback; and neither a secret nor a number that stands in a field of its own. */
#include "check.h"

#include "base/json.h"
#include "base/log.h"
#include "observe/sentry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void who(void *arg, const char *number, char out[65])
{
    (void)arg, (void)number;
    memset(out, 'a', 64);
    out[64] = '\0';
}

/* Unless the words themselves have it: within an id it is no number. */
static bool tells(const struct buf *event, const char *text, const char *what)
{
    return !strstr(text, what) && memmem(event->data, event->n, what, strlen(what));
}

static void check_event(const struct sentry_record *r, const char *text)
{
    static const char id[] = "0123456789abcdef0123456789abcdef";
    static const struct sentry_about about = {"ringdown@1", "production", "node-1", id, who, NULL};
    struct json_value v;
    struct buf event, envelope;

    buf_init(&event, 1 << 20);
    buf_init(&envelope, 2 << 20);
    check(sentry_event(&event, r, &about, NULL, 0) == 0);
    check(json_parse((struct rd_str){event.data, event.n}, &v) == 0 && v.type == JSON_OBJECT);
    check(!tells(&event, text, "3125550142"));
    check(!tells(&event, text, "a secret value"));
    check(sentry_envelope(&envelope, (struct rd_str){event.data, event.n}, id,
                          INT64_C(1795600000000)) == 0);
    buf_fini(&event);
    buf_fini(&envelope);
}

static void woken(void *arg)
{
    (void)arg;
}

static void try_error(const char *text)
{
    const struct log_field fields[] = {F_CALL("CA5f1d0e7a29b84c36a1e0d9c7b6a59483"),
                                       F_STR("why", text),
                                       F_RAISED("raised", text),
                                       F_RAISED("traceback", text),
                                       F_PHONE("from", "+13125550142"),
                                       F_WORDS("text", text),
                                       F_SECRET("key", "a secret value"),
                                       F_FIX("look at the agent")};
    struct sentry_queue *q = sentry_queue_new(woken, NULL);
    struct sentry_record r;

    check(q != NULL);
    sentry_heard(q, LOG_ERROR, "script.failed", fields, sizeof(fields) / sizeof(fields[0]),
                 INT64_C(1795600000000), 1000);
    check(sentry_next(q, &r));
    check_event(&r, text);
    sentry_queue_free(q);
}

static void try_frames(const char *text)
{
    struct json_value v;
    struct buf out;

    buf_init(&out, 1 << 22);
    check(sentry_frames(&out, text) == 0);
    check(json_parse((struct rd_str){out.data, out.n}, &v) == 0 && v.type == JSON_ARRAY);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    try_error(text);
    try_frames(text);
    free(text);
    return 0;
}
