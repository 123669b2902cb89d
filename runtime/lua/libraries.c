/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.c - what Lua says of itself: "$LuaVersion: Lua 5.4.4  Copyright ..." */
#include "lua/libraries.h"

#include <lua.h>
#include <stdio.h>
#include <string.h>

void lua_libraries(library_seen *seen, void *arg)
{
    const char *at = strstr(lua_ident, "Lua 5");
    char text[32] = "5.4";

    if (at)
        (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(at + 4, " "), at + 4);
    seen(arg, "lua", text);
}
