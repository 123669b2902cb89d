/* SPDX-License-Identifier: Apache-2.0 */
/* api_answer.h - the result of an operation of the kind "api" as an answer over HTTP: {"status", "type",
 * "headers", "body"}. What scripts say is checked: no header becomes two, and ours stay ours. */
#ifndef CONTROL_API_ANSWER_H
#define CONTROL_API_ANSWER_H

#include "base/json.h"
#include "io/http_server.h"

/* Its status; 0: it is no answer. */
int api_answer_status(struct rd_str text, struct json_value *result);

/* Answers with it. RD_EPROTO: it is no answer, and nothing was said. */
int api_answer(struct http_request *r, const struct json_value *result, int status);

#endif
