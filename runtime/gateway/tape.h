/* SPDX-License-Identifier: Apache-2.0 */
/* tape.h - which calls are recorded, and where the news of a recording goes: into the journal
 * and to control, as a record of its call. */
#ifndef GATEWAY_TAPE_H
#define GATEWAY_TAPE_H

#include "gateway/directory.h"
#include "gateway/node_internal.h"
#include "store/recorder.h"

/* Before the media threads start. */
int tape_start(struct node *n);

/* A recording for a call whose agent asks for it; NULL when there is no memory: told. Media thread. */
struct recording *tape_new(struct node *n, const struct directory_view *call);

#endif
