/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - did the call do what its scenario says? Pure, but slow: on a helper thread. */
#ifndef SIM_CARRIER_JUDGE_H
#define SIM_CARRIER_JUDGE_H

#include "sim/carrier/double.h"
#include "sim/speech/sound.h"

/* Recognises each of `heard` in what was played; the first that is not there goes to `unheard`, ""
 * when all are. Words are looked up in the scenario's replies: the whole sentence must be there. */
void judge_heard(const struct scenario *s, const struct sound *agent, char *unheard, size_t cap);

/* Fills in ok and why. */
void judge_report(struct call_report *r, const struct scenario *s, const char *unheard,
                  const char *error);

#endif
