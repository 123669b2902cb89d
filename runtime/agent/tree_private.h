/* SPDX-License-Identifier: Apache-2.0 */
/* tree_private.h - a tree while it is made. For agent/tree*.c only. */
#ifndef AGENT_TREE_PRIVATE_H
#define AGENT_TREE_PRIVATE_H

#include "agent/tree.h"

#include <stdatomic.h>
#include <stdbool.h>

struct tree_entry {
    char *path; /* owns */
    char *text; /* owns; NUL behind it */
    size_t n;
};

struct tree {
    _Atomic int refs;
    struct tree_entry *files; /* owns; in the order of paths */
    size_t n_files, bytes;
    char **folders; /* owns; NULL-terminated, or NULL */
    size_t n_folders;
    uint64_t stamp;
    char hash[65];
};

struct tree *tree_blank(void);

/* Takes a copy. RD_ETOOBIG, RD_ECONFIG, -ENOMEM. */
int tree_add(struct tree *t, const char *path, struct rd_str text, char *why, size_t cap);
int tree_add_folder(struct tree *t, const char *folder);

/* Sorts and hashes. RD_ECONFIG when a path is there twice. */
int tree_seal(struct tree *t, char *why, size_t cap);

/* Files of editors, and what is hidden: no part of the agents. */
bool tree_ignores(const char *name);

#endif
