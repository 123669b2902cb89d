/* SPDX-License-Identifier: Apache-2.0. module: carriers */
/* fuzz_form.c - what strangers post and what scripts render. Besides not crashing: a form becomes
 * JSON that our reader accepts; whatever words are spoken, the document stays well-formed; and the
 * signature of no guess is accepted. */
#include "base/json.h"
#include "carriers/twilio/form.h"
#include "carriers/twilio/twiml.h"
#include "carriers/twilio/verify.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static void try_form(struct rd_str text)
{
    struct json_value v;
    struct form *f;
    struct buf out;

    if (form_parse(&f, text))
        return;
    buf_init(&out, 1 << 20);
    check(form_to_json(f, &out) == 0);
    check(json_parse((struct rd_str){out.data, out.n}, &v) == 0 && v.type == JSON_OBJECT);
    form_get(f, "CallSid");
    buf_fini(&out);
    form_free(f);
}

static void try_words(struct rd_str text)
{
    struct buf words, out;

    buf_init(&words, 4096);
    buf_init(&out, 1 << 16);
    if (buf_add(&words, text.p, text.n) == 0 && twiml_say_hangup(&out, buf_text(&words)) == 0)
        check(twiml_check((struct rd_str){out.data, out.n}) == 0);
    buf_clear(&out);
    if (twiml_stream(&out, buf_text(&words), buf_text(&words)) == 0)
        check(twiml_check((struct rd_str){out.data, out.n}) == 0);
    buf_fini(&words);
    buf_fini(&out);
}

static void try_signature(struct rd_str text)
{
    static const char *const tokens[] = {"0123456789abcdef0123456789abcdef", NULL};
    const struct twilio_auth auth = {"https://user@h.example:444/p/", tokens};
    const struct rd_str form = RD_STR("application/x-www-form-urlencoded");

    check(!twilio_webhook_ok(&auth, RD_STR("/twilio/voice?a='"), form, text, text));
    check(!twilio_webhook_ok(&auth, text, RD_STR("application/json"), text, RD_STR("AAAA")));
    check(!twilio_webhook_ok(&auth, RD_STR("/twilio/voice"), text, RD_STR(""), text));
    check(!twilio_upgrade_ok(&auth, text, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd_str text = {(const char *)data, size};

    try_form(text);
    twiml_check(text);
    try_words(text);
    if (size % 8 == 0) /* a dozen HMACs cost more than all the rest */
        try_signature(text);
    return 0;
}
