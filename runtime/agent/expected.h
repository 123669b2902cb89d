/* SPDX-License-Identifier: Apache-2.0 */
/* expected.h - which errand waits for a text from which number, over all script threads.
 *
 * Who is asked by two errands at once tells by a digit which one he means: each entry of a number
 * has its own code, 1 first. A small table behind a lock held O(EXPECTED_MAX); any thread. */
#ifndef AGENT_EXPECTED_H
#define AGENT_EXPECTED_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct expected;
struct script_thread;

enum { EXPECTED_MAX = 256 };

struct expected *expected_new(void);
void expected_free(struct expected *x); /* NULL is fine */

/* This errand waits for a text of this number to this agent: its code, 1 to 9; the same again when
 * it waits already. RD_EFULL, RD_ETOOBIG (no number). */
int expected_add(struct expected *x, struct rd_str agent, struct rd_str number,
                 struct script_thread *t, uint64_t errand);

/* Nothing is expected for this errand any more. */
void expected_forget(struct expected *x, const struct script_thread *t, uint64_t errand);

/* A text came: it becomes the letter "text" {from, body, code, several} of the errand whose code it
 * begins with; without a code of the only one that waits, or, of several, of the newest. `code` is 0
 * when it named none. False: nobody waits for it. */
bool expected_deliver(struct expected *x, struct rd_str agent, struct rd_str number,
                      struct rd_str body);

#endif
