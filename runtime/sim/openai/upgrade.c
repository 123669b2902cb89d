/* SPDX-License-Identifier: Apache-2.0 */
/* upgrade.c - the door of the OpenAI double.
 *
 *   /v1/realtime?model=gpt-realtime-2.1                 plain
 *   /fault/drop-2000ms/v1/realtime?model=gpt-…          misbehaves; "/fault/<name>" may stand
 * before Authorization: Bearer sk-…                          a key that starts with sk-wrong is
 * wrong OpenAI-Beta: …                                      refused: that interface is gone */
#include "sim/openai/upgrade.h"

#include <stdio.h>
#include <string.h>

static const char *const models[] = {
    "gpt-realtime",      "gpt-realtime-2025-08-28",
    "gpt-realtime-1.5",  "gpt-realtime-2",
    "gpt-realtime-2.1",  "gpt-realtime-2.1-mini",
    "gpt-realtime-mini", "gpt-realtime-mini-2025-12-15",
};

static bool starts(struct rd_str s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static struct rd_str after(struct rd_str s, size_t n)
{
    return (struct rd_str){s.p + n, s.n - n};
}

static int refuse(struct openai_visit *v, int status, const char *code, const char *message)
{
    v->code = code;
    v->message = message;
    return status;
}

/* "/fault/<name>" taken off the front of the path. False: there is no such fault. */
static bool take_fault(struct openai_visit *v, struct rd_str *path)
{
    struct rd_str rest;
    const char *slash;

    if (!starts(*path, "/fault/"))
        return true;
    rest = after(*path, strlen("/fault/"));
    slash = memchr(rest.p, '/', rest.n);
    if (!slash || openai_fault_parse(&v->misery, rest.p, (size_t)(slash - rest.p)))
        return false;
    *path = after(rest, (size_t)(slash - rest.p));
    return true;
}

static struct rd_str query_model(struct rd_str target)
{
    const char *mark = target.n ? memchr(target.p, '?', target.n) : NULL;
    struct rd_str q = mark ? after(target, (size_t)(mark - target.p) + 1) : (struct rd_str){0};

    while (q.n) {
        const char *end = memchr(q.p, '&', q.n);
        size_t n = end ? (size_t)(end - q.p) : q.n;

        if (starts(q, "model="))
            return after((struct rd_str){q.p, n}, strlen("model="));
        q = after(q, end ? n + 1 : n);
    }
    return (struct rd_str){0};
}

static bool model_known(struct rd_str model)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        if (rd_str_eq(model, rd_str(models[i])))
            return true;
    return false;
}

static int fault_refusal(struct openai_visit *v)
{
    switch (v->misery.status) {
    case 401:
        return refuse(v, 401, "invalid_api_key", "Incorrect API key provided.");
    case 403:
        return refuse(v, 403, "unsupported_country_region_territory",
                      "Country, region, or territory not supported");
    case 404:
        return refuse(v, 404, "model_not_found", "The model does not exist.");
    case 429:
        return refuse(v, 429, "rate_limit_exceeded", "Rate limit reached for requests");
    default:
        return refuse(v, v->misery.status, "server_error",
                      "The server had an error while processing your request.");
    }
}

int openai_upgrade_parts(struct openai_visit *out, struct rd_str path, struct rd_str target,
                         struct rd_str authorization, struct rd_str beta)
{
    struct rd_str model = query_model(target);

    *out = (struct openai_visit){.code = "", .message = ""};
    if (!take_fault(out, &path) || !rd_str_eq(path, RD_STR("/v1/realtime")))
        return refuse(out, 404, "invalid_url", "Invalid URL");
    if (!authorization.p || !starts(authorization, "Bearer ") ||
        authorization.n <= strlen("Bearer "))
        return refuse(out, 401, "missing_api_key", "Missing bearer authentication in header");
    if (starts(authorization, "Bearer sk-wrong"))
        return refuse(out, 401, "invalid_api_key", "Incorrect API key provided: sk-wrong****.");
    if (beta.p)
        return refuse(out, 400, "beta_api_shape_disabled",
                      "The Realtime Beta API is no longer supported. Use the GA API.");
    if (out->misery.fault == FAULT_REFUSE)
        return fault_refusal(out);
    if (!model.n)
        return refuse(out, 400, "missing_model", "You must provide a model parameter.");
    if (!model_known(model) || !rd_str_copy(out->model, sizeof(out->model), model))
        return refuse(out, 404, "model_not_found",
                      "The model does not exist or you do not have access to it.");
    return 0;
}

int openai_upgrade_check(struct openai_visit *out, const struct http_request *r)
{
    return openai_upgrade_parts(out, http_path(r), http_target(r), http_header(r, "authorization"),
                                http_header(r, "openai-beta"));
}

int openai_upgrade_misery(struct openai_visit *v)
{
    return v->misery.fault == FAULT_REFUSE ? fault_refusal(v) : 0;
}

int openai_upgrade_error(char *out, size_t cap, int status, const struct openai_visit *v)
{
    int n = snprintf(
        out, cap, "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}",
        v->message, status >= 500 ? "server_error" : "invalid_request_error", v->code);

    return n > 0 && (size_t)n < cap ? n : 0;
}
