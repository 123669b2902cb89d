/* SPDX-License-Identifier: Apache-2.0 */
/* fake_folder.h - a folder of a test's own, gone afterwards, and events to put into it. */
#ifndef FAKE_FOLDER_H
#define FAKE_FOLDER_H

#include "store/journal_file.h"

/* Makes one below $TMPDIR or /tmp; for cmocka's setup and teardown. *state is its path. */
int fake_folder_make(void **state);
int fake_folder_remove(void **state);

/* Event number `seq` of a stream: its body is {"n":seq}. Borrows static memory: one at a time. */
const struct journal_event *fake_event(const char *stream, uint32_t seq);

/* How many journal files there are, and the path of the n-th, oldest first (static memory). */
int fake_files(const char *folder);
const char *fake_file(const char *folder, int n);

/* Every seq of a stream in a file, in the order of the file. Number of them. */
size_t fake_seqs(const char *path, const char *stream, uint32_t *seqs, size_t max);

#endif
