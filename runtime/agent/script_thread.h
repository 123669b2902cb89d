/* SPDX-License-Identifier: Apache-2.0 */
/* script_thread.h - one script thread: loop, mailbox, its activities, and whose turn it is.
 * Script thread only, but for the pool's atomics; for agent/ only. */
#ifndef AGENT_SCRIPT_THREAD_H
#define AGENT_SCRIPT_THREAD_H

#include "agent/host.h"
#include "io/http_client.h"
#include "io/loop.h"
#include "io/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct activity;
struct desk;
struct durable_wait;
struct errand;
struct expected;
struct job;
struct operation_shelf;
struct query_desk;

enum { ACTIVITY_BUCKETS = 256, SHARE_MS = 5 };

/* message.kind of MSG_ERRAND: a letter for the errand number `aux`, not a new one. */
enum { ERRAND_LETTER = 1 };

/* message.kind of MSG_RESUME: an errand had it and leaves it to the call's own script. */
enum { RESUME_HANDED_ON = 1 };

struct script_thread {
    struct script_pool *pool; /* borrows */
    struct loop *loop;        /* owns, as the following */
    struct mailbox *mailbox;
    struct credits *stop_credit; /* MSG_STOP always fits */
    struct http_client *http;    /* NULL until a script asks */
    struct http_client *fetch;   /* the same, for hosts that agents name: fenced */
    struct loop_timer *turn;
    struct activity *ready_first, **ready_last; /* each has jobs that want to run */
    struct durable_wait *durable; /* tasks that wait for the journal; they own theirs */
    struct query_desk *queries;   /* tasks that wait for the database; NULL: none ever */
    uint64_t last_ticket;         /* of those two */
    atomic_uint n_tickets;        /* with journal and database, which will post to our mailbox */
    struct activity *buckets[ACTIVITY_BUCKETS];
    struct errand *errands; /* theirs are not in the buckets */
    uint64_t last_errand;
    struct desk *desks;            /* of the agents whose calls are here */
    struct activity *operations;   /* own; theirs are not in the buckets either */
    struct operation_shelf *shelf; /* owns; the library for them; NULL: none ever */
    atomic_uint n_operations;      /* those still in the mailbox included */
    atomic_uint n_errands;         /* places taken, those still in the mailbox included */
    struct loop_timer *pulse;
    atomic_uint_least64_t pulse_ms; /* monotonic: it came round */
    atomic_size_t vm_bytes;         /* of its calls' scripts then */
    pthread_t thread;
    bool running, stopping;
    bool aside; /* has no calls, only operations */
};

/* Numbers of one process's errands begin with the second it started in; so many follow. */
enum { ERRANDS_OF_A_PROCESS = 100000000 };

struct script_pool {
    struct script_opts opts; /* strings owned */
    struct script_thread *threads;
    unsigned n_threads; /* with calls; those aside come behind them */
    unsigned n_started;
    _Atomic unsigned vms;
    pthread_mutex_t lock;      /* of agents */
    struct agent_set *agents;  /* refs */
    struct expected *expected; /* owns */
    atomic_uint next_aside;
    atomic_uint next_errand; /* which thread gets the next one without a call */
    uint64_t started_s;      /* by the calendar; the first digits of our errands' numbers */
};

void thread_add(struct script_thread *t, struct activity *a);
void thread_remove(struct script_thread *t, struct activity *a);

/* The job gets its turn: calls take turns, and the jobs of one call share its turns, so that one with
 * a hundred busy tools costs its neighbours no more than one with a single. */
void thread_queue(struct script_thread *t, struct job *j);
void thread_unqueue(struct script_thread *t, struct job *j);

/* Made at the first use; NULL when there is no memory. */
struct http_client *thread_http(struct script_thread *t);
struct http_client *thread_fetch(struct script_thread *t);

int script_thread_start(struct script_thread *t, struct script_pool *p, size_t mailbox_capacity);
void script_thread_stop(struct script_thread *t);

#endif
