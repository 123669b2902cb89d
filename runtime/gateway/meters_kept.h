/* SPDX-License-Identifier: Apache-2.0 */
/* meters_kept.h - numbers that only the database knows: what this process's calls cost, and which nodes
 * there are. Asked when somebody looks, for whoever looks next. */
#ifndef GATEWAY_METERS_KEPT_H
#define GATEWAY_METERS_KEPT_H

#include "gateway/node_internal.h"

struct meters_kept;
int meters_kept_new(struct meters_kept **out, struct node *n);
void meters_kept_free(
    struct meters_kept *k); /* after the last answer: adopt_wait(). NULL is fine */

/* Asks, at most every METERS_KEPT_MS. One thread. Without a database: nothing. */
enum { METERS_KEPT_MS = 3000 };
void meters_kept_ask(struct meters_kept *k);

#endif
