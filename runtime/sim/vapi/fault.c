/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - the words of fault.h. */
#include "sim/vapi/fault.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"well", "429",   "429-after", "500", "503",
                                    "lost", "stall", "array",     "full"};
static const char *const turns[VAPI_TURNS] = {"call-", "get-", "write-", "inbound-"};

static const struct {
    const char *name;
    size_t at;
} habits[] = {
    {"no-twiml", offsetof(struct vapi_faults, no_twiml)},
    {"no-join", offsetof(struct vapi_faults, no_join)},
    {"no-report", offsetof(struct vapi_faults, no_report)},
    {"no-hooks", offsetof(struct vapi_faults, no_hooks)},
    {"twice", offsetof(struct vapi_faults, twice)},
    {"backwards", offsetof(struct vapi_faults, backwards)},
    {"forged", offsetof(struct vapi_faults, forged)},
    {"old", offsetof(struct vapi_faults, old)},
    {"burst", offsetof(struct vapi_faults, burst)},
};

static int add_turn(struct vapi_faults *f, int turn, struct rd_str word)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!rd_str_eq(word, rd_str(names[i])))
            continue;
        if (f->turns[turn].n == VAPI_FAULTS_MAX)
            return RD_EFULL;
        f->turns[turn].faults[f->turns[turn].n++] = (enum vapi_fault)i;
        return 0;
    }
    return RD_ECONFIG;
}

static int add_word(struct vapi_faults *f, struct rd_str word)
{
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
        if (rd_str_eq(word, rd_str(habits[i].name))) {
            *(bool *)((char *)f + habits[i].at) = true;
            return 0;
        }
    }
    for (int t = 0; t < VAPI_TURNS; t++) {
        size_t n = strlen(turns[t]);
        if (word.n > n && memcmp(word.p, turns[t], n) == 0)
            return add_turn(f, t, (struct rd_str){word.p + n, word.n - n});
    }
    return RD_ECONFIG;
}

int vapi_faults_read(struct vapi_faults *f, const char *words, char *why, size_t cap)
{
    *f = (struct vapi_faults){.burst = false};
    while (words && *words) {
        struct rd_str word = {words, strcspn(words, ",")};

        if (add_word(f, word)) {
            snprintf(
                why, cap,
                "--vapi-fault: \"" RD_STR_FMT "\" cannot be done; 429, 429-after, 500, 503, lost, "
                "stall, array, full and well with call-, get-, write- or inbound- in front, at "
                "most %d of each; no-twiml, no-join, no-report, no-hooks, twice, backwards, "
                "forged, old, burst",
                RD_STR_ARG(word), VAPI_FAULTS_MAX);
            return RD_ECONFIG;
        }
        words += word.n;
        words += *words == ',';
    }
    return 0;
}

enum vapi_fault vapi_faults_next(struct vapi_faults *f, enum vapi_turn turn)
{
    return f->turns[turn].at < f->turns[turn].n ? f->turns[turn].faults[f->turns[turn].at++]
                                                : VAPI_WELL;
}
