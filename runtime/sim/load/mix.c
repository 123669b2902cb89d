/* SPDX-License-Identifier: Apache-2.0 */
/* mix.c - which call is of which kind. */
#include "base/err.h"
#include "sim/load/load.h"

#include <stdlib.h>
#include <string.h>

enum { SHARE_MAX = 1000 };

static const char *const names[LOAD_PROFILES] = {
    [LOAD_TALK] = "talk", [LOAD_LISTEN] = "listen", [LOAD_BARGE] = "barge",
    [LOAD_TOOL] = "tool", [LOAD_PASS] = "pass",
};

static int profile_named(const char *name, size_t n)
{
    for (int i = 0; i < LOAD_PROFILES; i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return i;
    return -1;
}

int load_mix_read(struct load_mix *m, const char *text)
{
    unsigned all = 0;

    *m = (struct load_mix){0};
    for (;;) {
        size_t n = strcspn(text, "=,");
        int profile = profile_named(text, n);
        unsigned long share = 1;
        char *end;

        if (profile < 0 || m->share[profile])
            return RD_EPROTO;
        text += n;
        if (*text == '=') {
            if (text[1] < '0' || text[1] > '9')
                return RD_EPROTO;
            share = strtoul(text + 1, &end, 10);
            text = end;
        }
        if (share > SHARE_MAX || (*text && *text != ','))
            return RD_EPROTO;
        m->share[profile] = (unsigned)share;
        all += (unsigned)share;
        if (!*text)
            return all ? 0 : RD_EPROTO;
        text++;
    }
}

/* Steps of the golden ratio fall evenly between 0 and 1, however few they are. */
enum load_profile load_mix_of(const struct load_mix *m, unsigned call)
{
    uint64_t all = 0, at;

    for (int i = 0; i < LOAD_PROFILES; i++)
        all += m->share[i];
    at = (uint64_t)(call * 2654435769u) * all >> 32;
    for (int i = 0; i < LOAD_PROFILES; i++) {
        if (at < m->share[i])
            return (enum load_profile)i;
        at -= m->share[i];
    }
    return LOAD_TALK;
}
