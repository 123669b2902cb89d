/* SPDX-License-Identifier: Apache-2.0 */
/* db_status.h - `ringdown db status`: the database on a few lines. */
#ifndef CLI_DB_STATUS_H
#define CLI_DB_STATUS_H

#include "store/database.h"

#include <stdbool.h>

/* Prints it. EXIT_OK when the database answers, else EXIT_FAILED. */
int db_status(const struct database_opts *o, bool json);

#endif
