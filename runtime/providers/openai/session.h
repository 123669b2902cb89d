/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - a leg as its pool sees it. Loop's thread only. */
#ifndef PROVIDERS_OPENAI_SESSION_H
#define PROVIDERS_OPENAI_SESSION_H

#include "providers/openai/events.h"
#include "providers/openai/openai.h"

/* Links of the pool's list of its legs. */
struct leg_link {
    struct provider_leg *prev, *next;
};
struct leg_link *leg_link(struct provider_leg *leg);

/* Whom the leg tells. */
const void *leg_arg(const struct provider_leg *leg);

/* Nobody has the leg any more: it ends, and tells nobody. */
void leg_disown(struct provider_leg *leg);

/* That was done, or its call let go of it: it is closing, whoever looks for its call. */
bool leg_is_forgotten(const struct provider_leg *leg);

/* The pool is going; the leg lives on without. */
void leg_orphan(struct provider_leg *leg);

#endif
