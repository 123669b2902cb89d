/* SPDX-License-Identifier: Apache-2.0 */
/* providers.h - the shelf of providers whose audio runs through this process. Any thread. */
#ifndef PROVIDERS_PROVIDERS_H
#define PROVIDERS_PROVIDERS_H

#include "ports/provider.h"

/* By name ("openai"); NULL when there is none of that name. */
const struct provider_ops *provider_find(const char *name);

/* All of them, NULL-terminated, for status and help texts. */
const struct provider_ops *const *provider_all(void);

#endif
