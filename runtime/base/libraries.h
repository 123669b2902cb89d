/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.h - which libraries this process really runs with: each module that hides one tells of it. */
#ifndef BASE_LIBRARIES_H
#define BASE_LIBRARIES_H

/* `version` lives until the function returns. */
typedef void(library_seen)(void *arg, const char *name, const char *version);

#endif
