/* SPDX-License-Identifier: Apache-2.0 */
/* fake_core.h - a call core that only writes down what a provider leg tells it, one line each:
 *   ready · audio RESP ITEM PART BYTES · audio_done RESP ITEM · started MS ITEM · stopped MS ITEM
 *   committed ITEM · placed ITEM after PREV as ROLE · words ROLE ITEM [final|failed] "TEXT"
 *   tool CALL NAME ARGS · response ID STATE [beside] [#TAG] [CODE] · usage …
 *   error CODE [kind] [#TAG] · named ID · hang_up · end WHY
 */
#ifndef TESTS_FAKE_CORE_H
#define TESTS_FAKE_CORE_H

#include "ports/provider.h"

#include <stdbool.h>

struct fake_core {
    char told[16384]; /* lines; the oldest fall out when it is full */
    unsigned n_told;
    uint64_t audio_bytes;
    bool quiet;             /* count, but write nothing */
    uint64_t expires_in_ms; /* of the session; 0: not told */
    bool ended;
    struct provider_usage usage; /* of the last response or transcription */
    char raw[2048];
    char fix[512], message[512];    /* of the last error */
    struct provider_leg *leg;       /* given: closed when close_on is told */
    const struct provider_ops *ops; /* the leg's; NULL: OpenAI's */
    const char *close_on;           /* a line's beginning */
    const char *respond_on;         /* the same: the model is asked for an answer, and fed */
    int responded, fed;             /* what came of that */
};

extern const struct provider_events fake_core_events;

bool core_heard(const struct fake_core *c, const char *line); /* exactly this line, at any time */
unsigned core_count(const struct fake_core *c, const char *line_start);
const char *core_last(const struct fake_core *c); /* the last line */
void core_forget(struct fake_core *c);

#endif
