/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - what stdout can show. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

/* Columns: of the terminal, else $COLUMNS, else 80. */
int terminal_width(void);

/* It can show more than ASCII, as far as its locale says. */
bool terminal_has_blocks(void);

#endif
