/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - where the texts of modules and files come from: a folder on disk, or a shelf, which is a
 * folder that somebody read into memory before, so that all of an agent is of one moment. Any thread. */
#ifndef LUA_PLACE_H
#define LUA_PLACE_H

#include "base/buf.h"
#include "lua/vm.h"

#include <stdbool.h>
#include <stddef.h>

enum { PLACE_NAME = 128, PLACE_FILE = PLACE_NAME + 16, PLACE_PATH = 1024 };

struct place {
    char *dir;                 /* owns; messages show its last name */
    struct chunks_shelf shelf; /* borrows until frozen; find NULL: the folder on disk */
};

/* Plain names between dots: letters, digits, _ and -. Paths that do not leave their folder. */
bool place_good_module(const char *name);
bool place_good_file(const char *name);

/* Of the library: those have a place of their own. */
bool place_is_library(const char *module);

/* "lib.prices" → 0: "lib/prices.lua", 1: "lib/prices/init.lua" */
void place_module_file(char out[PLACE_FILE], const char *module, int which);

/* How a chunk calls itself in messages: the library "ringdown/x.lua", others by their folder's last
 * name, "agents/x.lua". Only the library may begin with "ringdown/". */
void place_shown(char *out, size_t cap, const char *dir, const char *file, bool library);

/* The text of a file. -ENOENT: not here; RD_ETOOBIG: more than `out` may hold. */
int place_read(struct buf *out, const struct place *p, const char *file);

/* The text of a module, from the first place that has it and may; `name`: as it is shown. */
int places_find(const struct place *places, size_t n, const char *module, struct buf *out,
                char *name, size_t cap);

#endif
