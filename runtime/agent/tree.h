/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - all files of a folder of agents at one moment, in memory: what a load, a release and a
 * diff look at. Immutable and reference-counted; any thread. */
#ifndef AGENT_TREE_H
#define AGENT_TREE_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct tree;
struct chunks_shelf;

enum { TREE_FILES_MAX = 2000, TREE_FILE_BYTES = 1 << 20, TREE_BYTES = 16 << 20, TREE_PATH = 512 };

/* In the order of their paths. */
struct tree_file {
    const char *path; /* below the folder: "lib/prices.lua" */
    struct rd_str text;
};

/* Reads the folder. Read again when something changed meanwhile; -EAGAIN when it never stands still.
 * -ENOENT, RD_ETOOBIG, RD_ECONFIG (a link that leads out of it); `why` says what to do. Blocks. */
int tree_read(struct tree **out, const char *folder, char *why, size_t cap);

/* The same for our own library, which may be installed as links to anywhere. */
int tree_read_library(struct tree **out, const char *folder, char *why, size_t cap);

/* Copies. Paths must be good_path()s, each once: RD_ECONFIG. The same limits. */
int tree_new(struct tree **out, const struct tree_file *files, size_t n, char *why, size_t cap);

struct tree *tree_ref(struct tree *t);
void tree_unref(struct tree *t); /* NULL is fine */

/* SHA-256 of all paths and texts, in hex: the same files are the same tree, wherever they lie. */
const char *tree_hash(const struct tree *t);
size_t tree_count(const struct tree *t);
struct tree_file tree_at(const struct tree *t, size_t i);
struct rd_str tree_find(const struct tree *t, const char *path); /* p NULL: not there */

/* {"path":"text",…}: as releases keep it. RD_EPROTO with the file in `why` when one is no UTF-8. */
int tree_to_json(const struct tree *t, struct buf *out, char *why, size_t cap);
int tree_from_json(struct tree **out, struct rd_str json, char *why, size_t cap);

/* The tree as a shelf of modules and files; the library's paths begin with "ringdown/". Borrows. */
struct chunks_shelf tree_shelf(const struct tree *t, const char *name);
struct chunks_shelf tree_library_shelf(const struct tree *t);

/* A number that changes with names, sizes and times of the files, without reading them; and the
 * folders in which a change could be, the folder itself first. */
int tree_stamp(const char *folder, uint64_t *stamp);
uint64_t tree_stamp_of(const struct tree *t);          /* 0: not read from a folder */
const char *const *tree_folders(const struct tree *t); /* ended by NULL */

#endif
