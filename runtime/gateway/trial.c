/* SPDX-License-Identifier: Apache-2.0 */
/* trial.c - RingdownTrial=KIND.MAC, where MAC is as Twilio signs: base64 of the HMAC-SHA1 under the auth token,
 * here of "ringdown-trial:KIND:CALLSID". Whatever else stands there is no trial: the call counts as a caller's. */
#include "gateway/trial.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {[TRIAL_CALL] = "call", [TRIAL_SYNTHETIC] = "synthetic"};

const char *trial_name(enum trial t)
{
    return names[t];
}

enum trial trial_named(const char *name)
{
    for (enum trial t = TRIAL_CALL; t <= TRIAL_SYNTHETIC; t++)
        if (strcmp(name, names[t]) == 0)
            return t;
    return TRIAL_NONE;
}

static bool is_kind(struct rd_str said, const char *kind, struct rd_str *mac)
{
    size_t n = strlen(kind);

    if (said.n <= n || memcmp(said.p, kind, n) != 0 || said.p[n] != '.')
        return false;
    *mac = (struct rd_str){said.p + n + 1, said.n - n - 1};
    return true;
}

enum trial trial_of(const struct twilio_auth *auth, struct form *form)
{
    struct rd_str said = form_get(form, "RingdownTrial"), sid = form_get(form, "CallSid"), mac;
    char text[128];
    int n;

    for (enum trial t = TRIAL_CALL; t <= TRIAL_SYNTHETIC; t++) {
        if (!is_kind(said, names[t], &mac))
            continue;
        n = snprintf(text, sizeof(text), "ringdown-trial:%s:" RD_STR_FMT, names[t],
                     RD_STR_ARG(sid));
        if (n > 0 && (size_t)n < sizeof(text) &&
            twilio_signed_ok(auth, (struct rd_str){text, (size_t)n}, mac))
            return t;
    }
    return TRIAL_NONE;
}
