/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_read.h - the way from a Lua table to a struct scenario; see scenario.h. */
#ifndef SIM_SCENARIO_READ_H
#define SIM_SCENARIO_READ_H

#include "base/buf.h"
#include "sim/scenario.h"

#include <lua.h>

struct scenario_reader {
    struct scenario *out;
    const char *file;
    const char *source; /* to find the line of a mistake */
    struct buf *complaints;
    unsigned mistakes;
    const char *list; /* "caller" or "model" while one of its entries is read */
    size_t entry;
};

/* A function for vm_call(): takes a light userdata of struct scenario_reader and the file's chunk,
 * runs the chunk and reads what it returns. Mistakes are told all at once. */
int scenario_read_lua(lua_State *L);

#endif
