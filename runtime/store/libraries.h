/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.h - libpq, SQLite and jansson, as they were found at run time. */
#ifndef STORE_LIBRARIES_H
#define STORE_LIBRARIES_H

#include "base/libraries.h"

void store_libraries(library_seen *seen, void *arg);

#endif
