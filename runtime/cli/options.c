/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - arguments of a command. "--name value" and "--name=value" are the same; words may
 * stand anywhere. A mistake names the nearest option and where help is. */
#include "cli/options.h"

#include "base/err.h"
#include "base/nearest.h"
#include "cli/commands.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 2 << 20 };

static int complain_option(const struct options *o, const char *command, const char *arg)
{
    struct nearest near;
    const char *name = arg + strspn(arg, "-");

    nearest_init(&near, name);
    nearest_offer(&near, "config");
    nearest_offer(&near, "json");
    nearest_offer(&near, "help");
    for (const struct option_switch *s = o->switches; s && s->name; s++)
        nearest_offer(&near, s->name);
    for (const struct option_value *v = o->values; v && v->name; v++)
        nearest_offer(&near, v->name);
    if (near.best)
        fprintf(stderr, "ringdown %s: unknown option %s; did you mean --%s?\n", command, arg,
                near.best);
    else
        fprintf(stderr, "ringdown %s: unknown option %s; see: ringdown %s --help\n", command, arg,
                command);
    return EXIT_USAGE;
}

static bool take_switch(const struct options *o, const char *name)
{
    for (const struct option_switch *s = o->switches; s && s->name; s++) {
        if (strcmp(s->name, name) == 0) {
            *s->on = true;
            return true;
        }
    }
    return false;
}

/* How many arguments the value took: 0: no such option; -1: it needs one and has none. */
static int take_value(const char *name, const char **value, int left, char **argv)
{
    size_t n = strlen(name);
    const char *arg = argv[0];

    if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, n) != 0)
        return 0;
    if (arg[2 + n] == '=') {
        *value = arg + 3 + n;
        return 1;
    }
    if (arg[2 + n] != '\0')
        return 0;
    if (left < 2)
        return -1;
    *value = argv[1];
    return 2;
}

static int take_values(struct options *o, int left, char **argv, const char **name)
{
    int n = take_value("config", &o->config, left, argv);

    *name = "config";
    for (const struct option_value *v = o->values; n == 0 && v && v->name; v++) {
        *name = v->name;
        n = take_value(v->name, v->value, left, argv);
    }
    return n;
}

static bool complain_word(const char *command, const char *arg, int *code)
{
    fprintf(stderr, "ringdown %s: does not know what to do with \"%s\"; see: ringdown %s --help\n",
            command, arg, command);
    *code = EXIT_USAGE;
    return false;
}

bool options_read(struct options *o, int argc, char **argv, int *code)
{
    const char *name;

    o->words = argv + 1;
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        int n = take_values(o, argc - i, argv + i, &name);

        if (n > 0) {
            i += n - 1;
        } else if (n < 0) {
            fprintf(stderr, "ringdown %s: --%s needs %s behind it\n", argv[0], name,
                    strcmp(name, "config") == 0 ? "the name of a file" : "a value");
            *code = EXIT_USAGE;
            return false;
        } else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            fputs(o->usage, stdout);
            *code = EXIT_OK;
            return false;
        } else if (strcmp(arg, "--json") == 0) {
            o->json = true;
        } else if (arg[0] == '-' && arg[1]) {
            if (strncmp(arg, "--", 2) == 0 && take_switch(o, arg + 2))
                continue;
            *code = complain_option(o, argv[0], arg);
            return false;
        } else if (o->n_words < o->max_words) {
            o->words[o->n_words++] = arg; /* never ahead of i: words move to the front */
        } else {
            return complain_word(argv[0], arg, code);
        }
    }
    return true;
}

int options_settings(const struct options *o, enum settings_use use, struct settings **out)
{
    struct buf complaints;
    int rc;

    buf_init(&complaints, 1 << 20);
    rc = settings_load(out, o->config, use, &complaints);
    if (rc == RD_ECONFIG)
        fputs(buf_text(&complaints) ? buf_text(&complaints) : "", stderr);
    else if (rc)
        fprintf(stderr, "ringdown: cannot load the settings: %s\n", rd_strerror(rc));
    buf_fini(&complaints);
    return rc == RD_ECONFIG ? EXIT_USAGE : rc ? EXIT_FAILED : EXIT_OK;
}

struct json_t *options_file(const char *command, const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(FILE_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, FILE_MAX + 1, f) : 0;
    bool whole = f && !ferror(f) && n <= FILE_MAX;
    json_t *out = text && whole ? json_stringn(text, n) : NULL;

    if (!f)
        fprintf(stderr, "ringdown %s: %s: %s\n", command, path, strerror(errno));
    else if (!out)
        fprintf(stderr, "ringdown %s: %s is not a text of at most 2 MiB\n", command, path);
    if (f)
        (void)fclose(f);
    free(text);
    return out;
}
