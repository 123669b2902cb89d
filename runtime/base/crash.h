/* SPDX-License-Identifier: Apache-2.0 */
/* crash.h - a process that dies of a signal leaves a note of where: <folder>/crash-TIME-PID. Who reads it at
 * the next start: observe/crash_report.h.
 *
 *   ringdown crash 1
 *   node box
 *   release ringdown@0.1.0
 *   signal 11 1                  its number; 0 behind it: somebody sent it
 *   address 7f0012340000
 *   thread media-0
 *   time 1795329401              seconds
 *   frame 55d0c1a2b3c4 1b3c4 ringdown 0f3e…   address, offset in which file, that file's build id
 *   end
 *
 * One process, one folder. */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CRASH_FRAMES = 64,
    CRASH_MODULES = 64,
    CRASH_MODULE = 48, /* a file's name without its folder */
    CRASH_BUILD = 41   /* 40 hexadecimal digits */
};

#define CRASH_PREFIX "crash-"

/* From now on SIGSEGV, SIGABRT, SIGBUS, SIGFPE and SIGILL are noted before they end the process as they would
 * have. The strings are copied; a line feed in them is a space. -ENAMETOOLONG, or the system's reason. Before
 * there are threads. */
int crash_start(const char *folder, const char *node, const char *release);
void crash_stop(void); /* as before; for tests */

/* The calling thread's crashes are noted even when its stack is full. Nothing happens when there is no memory. */
void crash_thread(void);

/* Where the file of this name and build id is loaded, and whether it is this program's own. False: there is
 * none. */
bool crash_module(const char *name, const char *build, uintptr_t *base, bool *own);

/* The name of the function that `offset` lies in, if the file is loaded now as it was then. False: not known. */
bool crash_symbol(char *out, size_t cap, const char *module, const char *build, uintptr_t offset);

#endif
