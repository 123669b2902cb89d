/* SPDX-License-Identifier: Apache-2.0 */
/* fake_directory.h - calls as a directory is asked to admit them, by their number. */
#ifndef TESTS_FAKE_DIRECTORY_H
#define TESTS_FAKE_DIRECTORY_H

#include "gateway/directory.h"

struct rd_str call_sid_of(char out[DIRECTORY_SID], unsigned n);

/* A call of `from` to `agent`, which takes `agent_max` at once. */
struct directory_admission call_asks(unsigned n, char text[DIRECTORY_SID], const char *from,
                                     const char *agent, unsigned agent_max);

/* The code of directory_admit(). */
int call_admitted(struct directory *d, unsigned n, call_handle *out);
bool call_released(struct directory *d, call_handle h);

struct directory *directory_for(unsigned max_calls);

#endif
