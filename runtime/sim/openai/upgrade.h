/* SPDX-License-Identifier: Apache-2.0 */
/* upgrade.h - may this request become a Realtime session? Pure. */
#ifndef SIM_OPENAI_UPGRADE_H
#define SIM_OPENAI_UPGRADE_H

#include "io/http_server.h"
#include "sim/openai/session.h"

/* What the URL asked for, and why it was refused. */
struct openai_visit {
    char model[64];
    struct openai_misery misery;
    const char *code, *message; /* of a refusal; static */
};

/* 0, or the HTTP status to refuse with. */
int openai_upgrade_check(struct openai_visit *out, const struct http_request *r);

/* The same from its parts: what the request line and the headers say (p NULL: absent). */
int openai_upgrade_parts(struct openai_visit *out, struct rd_str path, struct rd_str target,
                         struct rd_str authorization, struct rd_str beta);

/* Of a visit that is welcome, and shall misbehave as `misery` says: 0, or the status it is refused with. */
int openai_upgrade_misery(struct openai_visit *v);

/* The API's JSON for a refusal. Bytes written. */
int openai_upgrade_error(char *out, size_t cap, int status, const struct openai_visit *v);

#endif
