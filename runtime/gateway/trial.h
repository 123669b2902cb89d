/* SPDX-License-Identifier: Apache-2.0 */
/* trial.h - is this call one that we made ourselves, and which? Such a call says so in its webhook, under the
 * auth token, for its own CallSid: nobody else can. It is in the records like any other and in no statistics.
 *
 *   ringdown call            a person tries an agent: all of it happens as in a real call
 *   the synthetic call       the cluster tries the way that callers come, by itself: nothing may come of it
 *                            but its records, whatever the agent's script wants */
#ifndef GATEWAY_TRIAL_H
#define GATEWAY_TRIAL_H

#include "carriers/twilio/form.h"
#include "carriers/twilio/verify.h"

enum trial { TRIAL_NONE, TRIAL_CALL, TRIAL_SYNTHETIC };

/* What the form says, if it may be believed. Pure. */
enum trial trial_of(const struct twilio_auth *auth, struct form *form);

/* "call", "synthetic"; NULL for TRIAL_NONE: as in the records. */
const char *trial_name(enum trial t);
enum trial trial_named(const char *name);

#endif
