/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - X-Twilio-Signature, on webhooks and on the WebSocket upgrade. Pure; any thread.
 * Source: Twilio "Webhooks security" and the vectors of the official helper libraries. Fails
 * closed. */
#ifndef CARRIERS_TWILIO_VERIFY_H
#define CARRIERS_TWILIO_VERIFY_H

#include "base/str.h"

#include <stdbool.h>

struct twilio_auth {
    const char *public_url;    /* scheme://host[:port][/prefix], from the settings only */
    const char *const *tokens; /* NULL-terminated; two during rotation; none: nothing passes */
};

/* A webhook. `target` is the raw request target (path and query). `content_type` decides: a form's
 * parameters are signed, a JSON body by the bodySHA256 of the query, other bodies must be empty. */
bool twilio_webhook_ok(const struct twilio_auth *a, struct rd_str target,
                       struct rd_str content_type, struct rd_str body, struct rd_str signature);

/* Any text that whoever has a token signed as Twilio signs: base64 of its HMAC-SHA1. */
bool twilio_signed_ok(const struct twilio_auth *a, struct rd_str text, struct rd_str signature);

/* An upgrade: the same with ws:// or wss:// in place of http:// or https://, and no body. */
bool twilio_upgrade_ok(const struct twilio_auth *a, struct rd_str target, struct rd_str signature);

#endif
