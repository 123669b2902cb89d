/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_answer.h - what a script sees of the answer to its request. */
#ifndef AGENT_API_FETCH_ANSWER_H
#define AGENT_API_FETCH_ANSWER_H

#include "base/buf.h"
#include "io/http_client.h"

#include <lua.h>

/* Pushes {status, body, headers, retry_after_ms}, nil, nil; or nil, why, code, where the code says what
 * may have happened: "not_sent", "unknown", "refused". `masks`: texts that must not come back, each
 * with its NUL. Raises when there is no memory: to be called protected. */
int fetch_push_answer(lua_State *L, const struct http_result *r, const struct buf *masks);

#endif
