/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - codes that no other call will fare better with. */
#include "providers/openai/account.h"

#include "observe/alarm.h"
#include "observe/catalogue.h"

#include <stddef.h>
#include <string.h>

static const char quota[] = "openai.quota", refused[] = "credentials.refused";

static const struct {
    const char *code, *kind, *subject, *text;
} codes[] = {
    {"insufficient_quota", quota, "", "OpenAI says that the credit is used up"},
    {"billing_hard_limit_reached", quota, "", "OpenAI says that the account's limit is reached"},
    {"invalid_api_key", refused, "openai", "OpenAI refuses openai.key"},
    {"account_deactivated", refused, "openai", "OpenAI has closed the account of openai.key"},
};

void account_refuses(const char *code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(code, codes[i].code) == 0)
            alarm_raise(ALARM_CRITICAL, codes[i].kind, codes[i].subject, codes[i].text,
                        catalogue_fix("", codes[i].kind));
}

void account_works(void)
{
    alarm_clear(quota, "");
    alarm_clear(refused, "openai");
}
