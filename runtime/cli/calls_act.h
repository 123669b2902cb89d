/* SPDX-License-Identifier: Apache-2.0 */
/* calls_act.h - `ringdown calls VERB CALL`: what an operator wants of a call in progress. */
#ifndef CLI_CALLS_ACT_H
#define CLI_CALLS_ACT_H

#include <stdbool.h>

bool calls_is_verb(const char *word); /* hang-up, transfer, whisper */
bool calls_is_id(const char *word);   /* could name a call */

/* argv[0] is the verb. Returns the exit code. */
int calls_act(int argc, char **argv);

#endif
