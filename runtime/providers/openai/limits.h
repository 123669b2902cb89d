/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - rate limits as OpenAI tells them. Pure; any thread. */
#ifndef PROVIDERS_OPENAI_LIMITS_H
#define PROVIDERS_OPENAI_LIMITS_H

#include "base/json.h"
#include "ports/provider.h"

#include <stdbool.h>

/* `rate_limits` of rate_limits.updated. False when it holds nothing that we know. */
bool limits_read(struct provider_limits *out, const struct json_value *rate_limits);

/* Does this error code say that a rate limit was hit? */
bool limits_is_code(struct rd_str code);

#endif
