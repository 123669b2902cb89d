/* SPDX-License-Identifier: Apache-2.0 */
/* wish.h - what a command wants of a job of the library: an object made of its arguments, and the way from
 * there to operate(). */
#ifndef CLI_WISH_H
#define CLI_WISH_H

#include "cli/operate.h"
#include "cli/options.h"

#include <jansson.h>
#include <stdbool.h>

/* An object with the first word as "verb" and the others as the list "words". */
json_t *wish_words(const struct options *o);

/* A member, if it was given. */
void wish_text(json_t *wish, const char *key, const char *value);
void wish_true(json_t *wish, const char *key, bool value);

/* Loads the settings and operates with them; `opts` needs neither these nor as_json. Takes the wish. */
int wish_operate(const struct options *o, struct operate_opts opts, json_t *wish);

#endif
