/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_private.h - what the files of the private cluster share. */
#ifndef STORE_CLUSTER_PRIVATE_H
#define STORE_CLUSTER_PRIVATE_H

#include "base/buf.h"
#include "store/cluster.h"

#include <stdint.h>

/* place: where it may be. Longest folder whose socket still has a name, see unix(7). */
enum { CLUSTER_FOLDER_MAX = 107 - (sizeof("/.s.PGSQL.5432") - 1) };

/* The folder outside the data folder, for a cluster that cannot live in it. RD_ETOOBIG when that is
 * too long for a socket as well. `state` is $XDG_STATE_HOME, `home` $HOME; either may be NULL. */
int place_elsewhere(char *out, size_t cap, const char *data, uid_t uid, const char *state,
                    const char *home);

/* Decides where a cluster that is not made yet shall be, and makes the way to it passable. */
int place_choose(struct cluster_place *p, char *why, size_t cap);

/* Writes down where a moved cluster is. */
int place_record(const struct cluster_place *p, char *why, size_t cap);

/* make: the folder of PostgreSQL's programs. version 0: the newest that will do, told in *version. */
int cluster_programs(char *out, size_t cap, int *version, char *why, size_t why_cap);
int cluster_version(const struct cluster_place *p, int *version, char *why, size_t cap);

/* All or nothing: afterwards p->folder holds a finished cluster, or is not there. */
int cluster_make(struct cluster_place *p, const atomic_bool *stop, char *why, size_t cap);

/* A cluster made by an earlier version learns of agents' own roles, also while it runs. */
void cluster_let_agents_in(const struct cluster_place *p);

/* server: the running one. Pid 0: down. A pid that is somebody else's by now does not count. */
pid_t server_pid(const struct cluster_place *p);
int server_start(const struct cluster_place *p, const atomic_bool *stop, char *why, size_t cap);
void server_trim_log(const struct cluster_place *p);
int server_stop(const struct cluster_place *p, char *why, size_t cap);

/* Opens a file of the cluster for reading, however its owner may have prepared it: no link, no
 * pipe, nobody else's. -errno. */
int server_open(const struct cluster_place *p, const char *name, int flags);

/* Where the connection goes: the private cluster's part of a connection string. */
int cluster_conninfo(struct buf *out, const struct cluster_place *p);

/* Appends the last lines of a program's output to `why`, as one line. */
void why_output(char *why, size_t cap, const char *text, size_t n);

void cluster_nap(uint32_t ms);

#endif
