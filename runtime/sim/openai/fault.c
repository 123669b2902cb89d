/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - the ways to misbehave, by name. A name may carry a time: "drop-2000ms". */
#include "base/err.h"
#include "sim/openai/session.h"

#include <string.h>

enum { AFTER_MS = 5000, SLOW_MS = 2000, AFTER_MAX_MS = 3600000 };

static const struct {
    const char *name;
    enum openai_fault fault;
    int status;
} faults[] = {
    {"drop", FAULT_DROP, 0},
    {"drop-first", FAULT_DROP_FIRST, 0},
    {"drop-answer", FAULT_DROP_ANSWER, 0},
    {"1011", FAULT_CLOSE_1011, 0},
    {"3000", FAULT_CLOSE_3000, 0},
    {"401", FAULT_REFUSE, 401},
    {"403", FAULT_REFUSE, 403},
    {"404", FAULT_REFUSE, 404},
    {"429", FAULT_REFUSE, 429},
    {"500", FAULT_REFUSE, 500},
    {"503", FAULT_REFUSE, 503},
    {"expire", FAULT_EXPIRE, 0},
    {"slow", FAULT_SLOW, 0},
    {"stuck", FAULT_STUCK, 0},
    {"late-deltas", FAULT_LATE_DELTAS, 0},
    {"null-fields", FAULT_NULL_FIELDS, 0},
    {"no-metadata", FAULT_NO_METADATA, 0},
    {"unknown-events", FAULT_UNKNOWN_EVENTS, 0},
    {"silent", FAULT_SILENT, 0},
    {"quota", FAULT_QUOTA, 0},
    {"rate-limit", FAULT_RATE_LIMIT, 0},
    {"no-answer", FAULT_NO_ANSWER, 0},
    {"low-limits", FAULT_LOW_LIMITS, 0},
    {"server-error", FAULT_SERVER_ERROR, 0},
};

const char *const openai_fault_names[] = {
    "drop",   "drop-first", "drop-answer", "1011",        "3000",        "401",
    "403",    "404",        "429",         "500",         "503",         "expire",
    "slow",   "stuck",      "late-deltas", "null-fields", "no-metadata", "unknown-events",
    "silent", "quota",      "rate-limit",  "no-answer",   "low-limits",  "server-error",
    NULL,
};

/* "-2000ms" at the end of a name: true, its milliseconds, and n without it. */
static bool take_time(const char *name, size_t *n, uint32_t *out)
{
    size_t digits = *n >= 2 ? *n - 2 : 0;
    uint32_t ms = 0;

    if (*n < 5 || memcmp(name + digits, "ms", 2) != 0)
        return false;
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
        digits--;
    if (digits == 0 || name[digits - 1] != '-' || digits == *n - 2)
        return false;
    for (size_t i = digits; i < *n - 2 && ms < AFTER_MAX_MS; i++)
        ms = ms * 10 + (uint32_t)(name[i] - '0');
    *n = digits - 1;
    *out = ms;
    return true;
}

int openai_fault_parse(struct openai_misery *out, const char *name, size_t n)
{
    uint32_t after_ms = 0;
    bool timed = take_time(name, &n, &after_ms);

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (strlen(faults[i].name) != n || memcmp(faults[i].name, name, n) != 0)
            continue;
        if (!timed)
            after_ms = faults[i].fault == FAULT_SLOW ? SLOW_MS : AFTER_MS;
        *out = (struct openai_misery){faults[i].fault, faults[i].status, after_ms};
        return 0;
    }
    return RD_ECONFIG;
}
