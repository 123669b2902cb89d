/* SPDX-License-Identifier: Apache-2.0 */
/* dial.h - a <Dial> that runs on a caller's call. */
#ifndef SIM_CARRIER_DIAL_H
#define SIM_CARRIER_DIAL_H

#include "sim/carrier/call.h"

/* c->dial from now on. When it is over it goes on with the call by itself. */
int carrier_dial_run(struct carrier_call *c, const struct twiml_action *a);

/* DialCallStatus and its like. */
void carrier_dial_add(const struct carrier_dial *dial, struct carrier_form *f);

/* The caller has gone: the action is told. */
void carrier_dial_hung_up(struct carrier_call *c);

/* Whoever still rings is cancelled, who talks is hung up. Nothing more comes of it. */
void carrier_dial_free(struct carrier_call *c);

#endif
