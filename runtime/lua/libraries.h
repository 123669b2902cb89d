/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.h - Lua, as it was found at run time. */
#ifndef LUA_LIBRARIES_H
#define LUA_LIBRARIES_H

#include "base/libraries.h"

void lua_libraries(library_seen *seen, void *arg);

#endif
