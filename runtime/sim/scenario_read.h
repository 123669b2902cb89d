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

/* ---- for the readers of the tables: the table is at the top of the stack ---- */

/* "file:line: list entry: …"; the line is where the field `word` is set. */
void scenario_complain(struct scenario_reader *r, const char *word, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A copy, the caller's; NULL when absent, or after a complaint. */
char *scenario_string_field(lua_State *L, struct scenario_reader *r, const char *field);

/* "1200ms", "4s", "1m", or milliseconds as a number. */
uint32_t scenario_duration_field(lua_State *L, struct scenario_reader *r, const char *field,
                                 uint32_t otherwise);

/* Complains about fields that are not in the NULL-terminated list. */
void scenario_check_fields(lua_State *L, struct scenario_reader *r, const char *const *known);

/* A list of tables as an array of `size` each; *n counts what was begun, so that scenario_free()
 * finds it. */
typedef void(scenario_entry_fn)(lua_State *L, struct scenario_reader *r, void *entry);
void *scenario_read_entries(lua_State *L, struct scenario_reader *r, const char *field, size_t size,
                            size_t *n, scenario_entry_fn *read);

/* scenario_people.c: `people` and `texts`. */
void scenario_read_people(lua_State *L, struct scenario_reader *r);

#endif
