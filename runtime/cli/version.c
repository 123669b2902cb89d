/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - `ringdown version`: what to write into a bug report. */
#include "cli/commands.h"
#include "cli/options.h"

#include <stdio.h>

static const char usage[] = "usage: ringdown version [--json]\n\n"
                            "Prints the version of this program.\n";

int cmd_version(int argc, char **argv)
{
    struct options o = {.usage = usage};
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    printf(o.json ? "{\"version\":\"%s\"}\n" : "ringdown %s\n", RD_VERSION);
    return EXIT_OK;
}
