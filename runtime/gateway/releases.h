/* SPDX-License-Identifier: Apache-2.0 */
/* releases.h - agents and the database, on a thread and a connection of their own.
 *
 *   agents.source = "database":  current release ─ told or asked each second ─▶ reload_offer()
 *                                └─▶ <data>/agents-release.json, for a start without a database
 *   agents.source = "folder":    each tree that was loaded ─▶ agent_trees, so that it can be had again
 */
#ifndef GATEWAY_RELEASES_H
#define GATEWAY_RELEASES_H

#include "gateway/books.h"
#include "gateway/reload.h"

struct releases;

/* The agents to begin with, whatever the source (see reload_first()): the copy on disk when there is
 * one, else the database is asked once, which blocks. Without either the node has no agents and says
 * so. `books` NULL: no database. */
int releases_first(struct reload *r, const struct settings *s, struct books *books,
                   struct agent_set **out, char *why, size_t cap);

/* Borrows all of them. */
int releases_start(struct releases **out, struct reload *r, const struct settings *s,
                   struct books *books);
void releases_stop(struct releases *x); /* before reload_stop(); NULL is fine */

#endif
