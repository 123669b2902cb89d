/* SPDX-License-Identifier: Apache-2.0 */
/* console_files.h - the files of the console, as runtime/console/scripts/pack.mjs made them at build time. */
#ifndef CONTROL_CONSOLE_FILES_H
#define CONTROL_CONSOLE_FILES_H

#include <stdbool.h>
#include <stddef.h>

enum console_form { CONSOLE_PLAIN, CONSOLE_GZIP, CONSOLE_BROTLI, CONSOLE_N_FORMS };

struct console_file {
    const char *path, *type;
    const char *hash; /* of what it says, whatever its form */
    bool hashed;      /* its name changes with what it says: it may be kept for good */
    struct {
        const char *p;
        size_t n;
    } forms[CONSOLE_N_FORMS];
};

extern const struct console_file console_files[];
extern const unsigned console_n_files; /* 0: built without the console */

#endif
