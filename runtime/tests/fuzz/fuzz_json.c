/* SPDX-License-Identifier: Apache-2.0. module: base */
/* fuzz_json.c - any text through the in-place JSON reader. Besides not crashing: what json_parse()
 * accepted can be walked to its end without an error, every value inside parses again by itself,
 * and a string that was unescaped and escaped again is JSON. */
#include "base/err.h"
#include "base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static void try_string(const struct json_value *v)
{
    struct json_value again;
    struct buf plain, quoted;
    char fixed[32];
    int rc;

    buf_init(&plain, 1 << 20);
    buf_init(&quoted, 8 << 20);
    check(json_unescape(v, &plain) == 0);
    rc = json_copy(v, fixed, sizeof(fixed));
    check(rc == (plain.n < sizeof(fixed) ? 0 : RD_ETOOBIG));
    buf_add_str(&quoted, "\"");
    buf_add_json(&quoted, (struct rd_str){plain.data, plain.n});
    buf_add_str(&quoted, "\"");
    check(json_parse((struct rd_str){quoted.data, quoted.n}, &again) == 0);
    buf_fini(&plain);
    buf_fini(&quoted);
}

static void try_value(const struct json_value *v)
{
    struct json_value again;
    uint64_t n;
    double d;

    json_u64(v, &n);
    json_double(v, &d);
    if (v->type == JSON_STRING)
        try_string(v);
    else
        check(json_parse(v->raw, &again) == 0 && again.type == v->type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_value root, v;
    struct json_iter it;
    struct rd_str key;

    if (json_parse((struct rd_str){(const char *)data, size}, &root))
        return 0;
    try_value(&root);
    if (root.type != JSON_OBJECT && root.type != JSON_ARRAY)
        return 0;
    json_iter_init(&it, &root);
    while (json_next(&it, &key, &v)) {
        check(it.array == (root.type == JSON_ARRAY));
        try_value(&v);
    }
    check(it.err == 0);
    json_get(&root, "event");
    return 0;
}
