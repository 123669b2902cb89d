/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.h - a folder of agents and the media thread's side of a pool of script threads. */
#ifndef TESTS_AGENT_FAKE_NODE_H
#define TESTS_AGENT_FAKE_NODE_H

#include "agent/host.h"
#include "base/buf.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Of agent "test", and its site. */
#define FAKE_SITE_NUMBER "+13125550100"
#define FAKE_SITE        "{\"id\":\"loop\"}"

enum { FAKE_MESSAGES = 600, FAKE_FACTS = 128, FAKE_FACT = 600 };

struct fake_node {
    char folder[64];                    /* of agents */
    char library[64];                   /* "scripts", or one with modules of a test's own */
    const char *secrets, *http_resolve; /* borrows; before fake_start(); as the next */
    const char *vapi_api, *vapi_key, *kept_path;
    const struct script_lent *lent;
    int deadline_ms; /* of a script, wall time: nothing that a busy machine breaks, if a test does not want it */
    struct asker *asker, *aside_asker;
    unsigned aside;
    struct agent_set *agents;
    struct script_pool *pool;
    struct credits *credits;
    struct buf complaints;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct message *got[FAKE_MESSAGES]; /* from the script, in order */
    unsigned n_got, n_taken;
    unsigned media_thread[FAKE_MESSAGES];
    char facts[FAKE_FACTS][FAKE_FACT]; /* "type call agent {members}" in order */
    unsigned n_facts, n_facts_taken;
};

void fake_node_init(struct fake_node *n);
void fake_node_fini(struct fake_node *n); /* stops the pool: nothing may leak */

/* agents/<name>; then the folder is loaded. */
void fake_agent(struct fake_node *n, const char *file, const char *text);
void fake_load(struct fake_node *n);
void fake_start(struct fake_node *n, unsigned threads); /* loads and starts the pool */

/* From here on the library is that of scripts/, but for this module of ringdown/. Before fake_load(). */
void fake_library(struct fake_node *n, const char *file, const char *text);

void fake_open(struct fake_node *n, call_handle call, const char *agent);
void fake_event(struct fake_node *n, call_handle call, int kind, const char *id, const char *name,
                const char *text);
void fake_attach(struct fake_node *n, call_handle call, unsigned media_thread);

/* Opens call `call` of agent "test" and attaches it; the brief's opening is "Hi." */
void fake_live_call(struct fake_node *n, call_handle call);

/* The next message from the script, owned by the fake. NULL: none came in a minute. */
struct message *fake_next(struct fake_node *n);
struct message *fake_next_command(struct fake_node *n, int command); /* must be that one */

/* The next fact that a script told; nobody waits for longer than a minute. */
const char *fake_next_fact(struct fake_node *n);

/* Waits until so many VMs are left, at most 5 s. */
bool fake_vms_become(struct fake_node *n, unsigned vms);

#endif
