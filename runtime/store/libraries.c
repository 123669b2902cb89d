/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.c - what the libraries say of themselves; headers would tell what was there at build. */
#include "store/libraries.h"

#include <jansson.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>

void store_libraries(library_seen *seen, void *arg)
{
    char text[32];
    int pq = PQlibVersion(); /* 150013 is 15.13 */

    (void)snprintf(text, sizeof(text), "%d.%d", pq / 10000, pq % 10000);
    seen(arg, "libpq", text);
    seen(arg, "sqlite", sqlite3_libversion());
    seen(arg, "jansson", jansson_version_str());
}
