/* SPDX-License-Identifier: Apache-2.0 */
/* usages.h - what the commands say of themselves, for whoever makes something of it: the manual and
 * the completions of shells. So neither can name an option that --help does not. */
#ifndef CLI_USAGES_H
#define CLI_USAGES_H

#include "base/buf.h"

struct command;

enum { USAGE_WORDS = 64, USAGE_WORD = 48, USAGE_CHOICES = 96 };

/* What may stand behind an option. */
enum usage_value { USAGE_NONE, USAGE_SOMETHING, USAGE_PATH, USAGE_CHOICE };

struct usage_option {
    char name[USAGE_WORD]; /* with its dashes */
    enum usage_value value;
    char choices[USAGE_CHOICES]; /* of USAGE_CHOICE: words with one space between */
};

/* The words of one command: its verbs ("hang-up" of `ringdown calls hang-up`) and its options. */
struct usage {
    char verbs[USAGE_WORDS][USAGE_WORD];
    struct usage_option options[USAGE_WORDS];
    size_t n_verbs, n_options;
};

/* The text of `ringdown COMMAND --help`, added to `out` and terminated. 0, or an error; stdout is another's
 * meanwhile, so one thread alone. */
int usage_text(const struct command *c, struct buf *out);

/* Verbs and options out of such a text, in its order, each once; --help last. */
void usage_parse(struct usage *u, const char *command, const char *text);

#endif
