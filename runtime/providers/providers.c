/* SPDX-License-Identifier: Apache-2.0 */
/* providers.c - the table of providers: a new one is a folder beside this file and a line here. */
#include "providers/providers.h"

#include "providers/live/live.h"
#include "providers/openai/openai.h"
#include "providers/vapi/vapi.h"

#include <string.h>

static const struct provider_ops *const providers[] = {
    &openai_provider,
    &vapi_provider,
    &live_provider,
    NULL,
};

const struct provider_ops *provider_find(const char *name)
{
    for (const struct provider_ops *const *p = providers; *p; p++)
        if (name && strcmp((*p)->name, name) == 0)
            return *p;
    return NULL;
}

const struct provider_ops *const *provider_all(void)
{
    return providers;
}
