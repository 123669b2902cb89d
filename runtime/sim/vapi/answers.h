/* SPDX-License-Identifier: Apache-2.0 */
/* answers.h - would Vapi take this answer to a server message? Pure. */
#ifndef SIM_VAPI_ANSWERS_H
#define SIM_VAPI_ANSWERS_H

#include <jansson.h>
#include <stddef.h>

/* What is wrong with it; "": nothing. `answer` NULL: an empty body. */
void vapi_answer_check(char *wrong, size_t cap, const json_t *message, int status,
                       const json_t *answer);

#endif
