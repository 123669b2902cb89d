/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.c - the families together, and how one error is found; see catalogue.h. */
#include "observe/catalogue.h"

#include <stdio.h>
#include <string.h>

enum { CODE_CHARS = 96 };

static const struct error_family *const all[] = {
    &catalogue_calls,   &catalogue_ends,  &catalogue_node,   &catalogue_records,
    &catalogue_openai,  &catalogue_live,  &catalogue_bridge, &catalogue_twilio,
    &catalogue_numbers, &catalogue_texts, &catalogue_vapi,   &catalogue_health,
};

const struct error_family *const *catalogue_families(size_t *n)
{
    *n = sizeof(all) / sizeof(all[0]);
    return all;
}

const struct error_info *catalogue_find(const char *code)
{
    for (size_t f = 0; f < sizeof(all) / sizeof(all[0]); f++)
        for (size_t i = 0; i < all[f]->n; i++)
            if (strcmp(all[f]->errors[i].code, code) == 0)
                return &all[f]->errors[i];
    return NULL;
}

const char *catalogue_fix(const char *prefix, const char *name)
{
    const struct error_info *e;
    char code[CODE_CHARS];

    if (snprintf(code, sizeof(code), "%s%s", prefix, name) >= (int)sizeof(code))
        return NULL;
    e = catalogue_find(code);
    return e ? e->remedy : NULL;
}

const char *error_severity_name(enum error_severity s)
{
    static const char *const names[] = {"note", "warning", "critical"};

    return names[s];
}

const char *error_retry_name(enum error_retry r)
{
    static const char *const names[] = {"no", "yes", "by itself"};

    return names[r];
}
