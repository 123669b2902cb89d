/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_vapi_hook.c - module: gateway. What strangers post to /vapi/events. Besides not crashing: whatever is
 * made of it is well-formed JSON, ids are ids, and no guess is a good proof. */
#include "base/json.h"
#include "gateway/vapi/message.h"
#include "gateway/vapi/sign.h"

#include <ctype.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static void check_id(const char *id)
{
    for (; *id; id++)
        check(isalnum((unsigned char)*id) || *id == '-');
}

static void check_object(struct buf *out, const char *before, const char *behind)
{
    struct json_value v;
    struct buf whole;

    buf_init(&whole, 4 << 20);
    check(buf_addf(&whole, "%s%.*s%s", before, (int)out->n, out->data ? out->data : "", behind) ==
          0);
    check(json_parse((struct rd_str){whole.data, whole.n}, &v) == 0 && v.type == JSON_OBJECT);
    buf_fini(&whole);
    buf_clear(out);
}

static void try_message(struct rd_str body)
{
    struct vapi_dropped dropped;
    struct vapi_message m;
    struct buf out;

    if (vapi_message_read(&m, body))
        return;
    check_id(m.id);
    check_id(m.sid);
    check_id(m.assistant);
    check_id(m.number_id);
    buf_init(&out, 1 << 20);
    if (vapi_message_fact(&m, &out, &dropped) == 0)
        check_object(&out, "{", "}");
    buf_clear(&out);
    if (vapi_message_ask(&m, &out) == 0)
        check_object(&out, "{\"call\":1", "}");
    buf_clear(&out);
    if (vapi_message_failed(&m, "late", &out) == 0)
        check_object(&out, "", "");
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vapi_auth auth = {.secret = "a secret nobody guesses",
                                          .hmac = "a key as well"};
    struct rd_str text = {(const char *)data, size};
    struct vapi_proof p = {text, text, text, RD_STR("1795600000")};
    uint8_t mac[VAPI_MAC];

    try_message(text);
    check(vapi_sign_check(&auth, &p, text, UINT64_C(1795600000000), mac) == VAPI_REFUSED);
    p.timestamp = text;
    check(vapi_sign_check(&auth, &p, text, UINT64_C(1795600000000), mac) == VAPI_REFUSED);
    return 0;
}
