/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - what the commands' arguments have in common: --config, --json, --help, switches and
 * values of their own, and words. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "gateway/settings.h"

#include <stdbool.h>

struct json_t; /* jansson's */

struct option_switch {
    const char *name; /* without dashes */
    bool *on;
};

struct option_value {
    const char *name;   /* without dashes */
    const char **value; /* points into argv; untouched when it was not given */
};

struct options {
    const char *usage;                    /* the whole text of --help */
    const struct option_switch *switches; /* ended by a NULL name; NULL: none */
    const struct option_value *values;    /* the same: --name VALUE, --name=VALUE */
    int max_words;

    const char *config; /* --config FILE; NULL: not given */
    bool json;
    int n_words;
    char **words; /* point into argv */
};

/* Reads argv from its second word. True: go on. False: leave with *code (help was printed, or a
 * complaint). */
bool options_read(struct options *o, int argc, char **argv, int *code);

/* Loads settings; complaints go to stderr. EXIT_OK, EXIT_USAGE or EXIT_FAILED. */
int options_settings(const struct options *o, enum settings_use use, struct settings **out);

/* The text of a whole file, at most 2 MiB of UTF-8; NULL after a complaint of that command. */
struct json_t *options_file(const char *command, const char *path);

#endif
