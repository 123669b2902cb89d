/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - what Vapi says to POST /call: a socket to connect to, or why there is none. Pure; any thread. */
#ifndef PROVIDERS_VAPI_ANSWER_H
#define PROVIDERS_VAPI_ANSWER_H

#include "base/str.h"
#include "io/http_client.h"
#include "ports/carrier.h" /* enum leg_end */

#include <stdbool.h>

enum { VAPI_CALL_ID = 64, VAPI_URL = 1024 };

struct vapi_answer {
    char id[VAPI_CALL_ID];
    char url[VAPI_URL]; /* whoever has it controls the call: never in a log or a record */

    /* Or: */
    enum leg_end end;  /* LEG_REFUSED: the same again is refused again */
    char code[32];     /* for logs and alarms; docs/errors.md has it as bridge.CODE */
    char message[200]; /* Vapi's own words */
};

/* True: there is a socket. */
bool vapi_answer_read(struct vapi_answer *out, const struct http_result *r, struct rd_str api);

#endif
