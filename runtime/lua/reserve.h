/* SPDX-License-Identifier: Apache-2.0 */
/* reserve.h - a little memory for the moment in which there is none. What C hands to a VM outside of a script is
 * not protected: without memory for it Lua would end the process, and every call with it. Any thread. */
#ifndef LUA_RESERVE_H
#define LUA_RESERVE_H

#include <stddef.h>

/* Lays some aside, if none lies there. It costs no memory until it is written to, and it never is. */
void reserve_keep(void);

/* realloc() that failed, again, with the reserve given back before. */
void *reserve_realloc(void *ptr, size_t size);

#endif
