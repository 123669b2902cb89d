/* SPDX-License-Identifier: Apache-2.0 */
/* agents_trees.h - two folders of agents side by side: one that is kept, one that is to be. */
#ifndef CLI_AGENTS_TREES_H
#define CLI_AGENTS_TREES_H

#include "agent/tree.h"
#include "cli/agents.h"
#include "cli/ask.h"

/* A tree and what it loads to. */
struct side {
    struct tree *tree; /* refs; NULL: there is none */
    json_t *agents;    /* owns: name → version, numbers, files */
    int64_t release;   /* 0: none */
    char agent[64];    /* when it was found by the version of this agent */
};
void side_free(struct side *s);

/* The folder of agents.path. EXIT_OK or EXIT_FAILED after complaints. */
int side_of_folder(struct side *out, const struct agents_order *o);

/* Loads the tree, to see whether all of it is good; fills `agents`. EXIT_FAILED after complaints,
 * which `what` introduces ("the folder"). NULL: what loads of it will do. */
int side_load(struct side *s, const struct agents_order *o, const char *what);

/* Out of the database: the current release (wanted NULL), or what `wanted` names. A side without a
 * tree when there is none. EXIT_OK, or EXIT_FAILED after a complaint. */
int side_of_database(struct side *out, struct asking *a, const char *wanted);

/* `base` with the files of one agent as they are in `from`. */
int side_overlay(struct side *out, const struct side *base, const struct side *from);

/* The difference on stdout, for people: the texts (of one agent: `only`), and what the next call gets.
 * False: they are equal. */
bool sides_print(const struct side *before, const struct side *after, const char *only);

/* The same as one JSON object on `out`: {"changed":[…],"diff":"…"}. */
json_t *sides_json(const struct side *before, const struct side *after, const char *only);

/* agents_gate.c: EXIT_OK when the calls that --replay wants (or none) let `next` be published. */
int agents_gate(const struct agents_order *o, struct asking *a, const struct side *next);

#endif
