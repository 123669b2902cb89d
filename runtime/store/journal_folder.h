/* SPDX-License-Identifier: Apache-2.0 */
/* journal_folder.h - the files of a journal by name, and whose they are. Any thread. */
#ifndef STORE_JOURNAL_FOLDER_H
#define STORE_JOURNAL_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the journal of a data folder is; `out` holds PATH_MAX. */
void journal_folder_of(const char *data, char out[PATH_MAX]);

/* The paths of the folder's journal files, oldest first; free with journal_folder_free(). The
 * number, or -errno and no paths. A folder that is not there has none. */
int journal_folder_list(const char *folder, char ***out);
void journal_folder_free(char **paths, int n); /* or what list returned */

/* How many damaged files were put aside here. */
int journal_folder_damaged(const char *folder);

/* A name for a new file that sorts behind those of before. -ENAMETOOLONG. */
int journal_folder_name(const char *folder, char *path, size_t cap);

/* Takes the lock of the file at `path`: a descriptor that holds it until it is closed, -EBUSY when
 * somebody else has it, -ENOENT when there is no such file any more (unless it is to be made). */
int journal_lock(const char *path, bool make);

/* True while a process holds the file. */
bool journal_locked(const char *path);

/* Removes a file, what SQLite keeps beside it, and at last its lock. Only with the lock. */
void journal_folder_remove(const char *path);

/* Renames a damaged file (and its log) to <path>.damaged; the new name in `aside`. */
int journal_folder_put_aside(const char *path, char *aside, size_t cap);

#endif
