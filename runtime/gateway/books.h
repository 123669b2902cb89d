/* SPDX-License-Identifier: Apache-2.0 */
/* books.h - the node's book-keeping, begun and ended in one place: the journal on disk, the shipper
 * that carries it into PostgreSQL, the private cluster where there is no other, and the hourly
 * upkeep (partitions, retention, recordings that are due).
 *
 *   books_open ─▶ journal (at once) ─▶ node answers calls
 *            └──▶ shipper, on its thread: cluster up ─▶ schema migrated or checked ─▶ events flow
 *
 * Calls never wait for the database: with it down, or not ours, or of another version, everything
 * stays in the journal and an alarm says what to do. */
#ifndef GATEWAY_BOOKS_H
#define GATEWAY_BOOKS_H

#include "base/buf.h"
#include "gateway/settings.h"

#include <stdbool.h>
#include <stddef.h>

struct asker;
struct books;
struct journal;

/* Needs the data folder to be this process's (control_new()). `why` says what to do otherwise. */
int books_open(struct books **out, const struct settings *s, char *why, size_t cap);

struct journal *books_journal(struct books *b);

/* What processes before this one left on this disk is in the database. Any thread. */
bool books_inherited_done(const struct books *b);

/* Who answers the questions of scripts: the library's, those of the admin API and of jobs, for which no
 * call waits, and those of agents, each as a role of its own. All say no until the database is up and
 * its schema ours. */
struct asker *books_asker(struct books *b);
struct asker *books_aside_asker(struct books *b);
struct asker *books_agent_asker(struct books *b);
void books_hush(struct books *b); /* nobody waits for any of them any more */

/* A connection string for whoever has a connection of his own, once the server is up; blocks. Any
 * thread. */
int books_conninfo(struct books *b, struct buf *out, char *why, size_t cap);

/* "journal":{…},"database":{…} for status; any thread. */
int books_json(struct books *b, struct buf *out);

/* After node_stop(): ships what there is for a few seconds, stops the threads, lets the cluster go.
 * NULL is fine. */
void books_close(struct books *b);

/* Where the .sql files are: beside the library's folder. */
void books_sql_path(const struct settings *s, char *out, size_t cap);

#endif
