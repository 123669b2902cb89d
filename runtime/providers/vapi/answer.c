/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - the answer to POST /call.
 *
 *   2xx with id and transport.websocketCallUrl: the socket, if its address is one that may have our key
 *   401, 403: the key; 402, or words about credit: the account; "concurrency": its call slots are taken
 *   400, 404, 422: what we asked for, as a rule the assistant
 *   429, 5xx, no answer: worth another try
 * A message may be text or a list of texts: the first is kept. */
#include "providers/vapi/answer.h"

#include "base/json.h"
#include "providers/vapi/address.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

static void copy(char *out, size_t cap, const struct json_value *v)
{
    if (v->type != JSON_STRING || json_copy(v, out, cap))
        (void)rd_str_copy(out, cap, v->type == JSON_STRING ? v->raw : RD_STR(""));
}

static void read_message(struct vapi_answer *a, const struct json_value *root)
{
    struct json_value v = json_get(root, "message");
    struct json_iter it;
    struct rd_str key;

    if (v.type == JSON_ARRAY) {
        json_iter_init(&it, &v);
        if (!json_next(&it, &key, &v))
            v.type = JSON_NONE;
    }
    if (v.type != JSON_STRING)
        v = json_get(root, "error");
    copy(a->message, sizeof(a->message), &v);
}

static void refused(struct vapi_answer *a, enum leg_end end, const char *code)
{
    a->end = end;
    (void)rd_str_copy(a->code, sizeof(a->code), rd_str(code));
}

static void read_refusal(struct vapi_answer *a, int status)
{
    if (status == 401 || status == 403)
        refused(a, LEG_REFUSED, "unauthorized");
    else if (strcasestr(a->message, "concurrency"))
        refused(a, LEG_REFUSED, "concurrency");
    else if (status == 402 || strcasestr(a->message, "credit") ||
             strcasestr(a->message, "subscription"))
        refused(a, LEG_REFUSED, "credit");
    else if (status == 429)
        refused(a, LEG_LOST, "rate_limit");
    else if (status == 400 || status == 404 || status == 422)
        refused(a, LEG_REFUSED, "bad_request");
    else
        refused(a, LEG_LOST, "server_error");
}

static bool read_socket(struct vapi_answer *a, const struct json_value *root, struct rd_str api)
{
    struct json_value transport = json_get(root, "transport"), id = json_get(root, "id");
    struct json_value url = json_get(&transport, "websocketCallUrl");

    if (url.type != JSON_STRING || id.type != JSON_STRING || json_copy(&id, a->id, sizeof(a->id)) ||
        json_copy(&url, a->url, sizeof(a->url))) {
        refused(a, LEG_REFUSED, "no_socket");
        return false;
    }
    if (vapi_address_ok(api, rd_str(a->url)))
        return true;
    a->url[0] = '\0';
    refused(a, LEG_REFUSED, "foreign_socket");
    return false;
}

bool vapi_answer_read(struct vapi_answer *a, const struct http_result *r, struct rd_str api)
{
    struct json_value root = {.type = JSON_NONE};

    *a = (struct vapi_answer){.end = LEG_LOST};
    if (r->err) {
        refused(a, LEG_LOST, r->err == -ETIMEDOUT ? "timeout" : "unreachable");
        (void)rd_str_copy(a->message, sizeof(a->message), rd_str(r->text));
        return false;
    }
    if (json_parse(r->body, &root))
        root.type = JSON_NONE;
    if (r->status / 100 == 2)
        return read_socket(a, &root, api);
    read_message(a, &root);
    read_refusal(a, r->status);
    return false;
}
