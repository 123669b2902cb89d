/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - one running `ringdown serve`: its threads, its listening socket, its calls. */
#ifndef GATEWAY_NODE_H
#define GATEWAY_NODE_H

#include "base/buf.h"
#include "gateway/settings.h"
#include "io/mailbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct books;
struct node;
struct operation_order;

struct node_ringer;

struct node_opts {
    const struct settings *settings;
    struct mailbox *control;          /* borrows; gets MSG_RECORD (droppable) */
    struct books *books;              /* borrows; what must be kept goes there. NULL: nothing is */
    const struct node_ringer *ringer; /* copied: gateway/ringing.h. NULL: no synthetic calls */
    int listen_fd; /* takes: another process's listening socket, nothing is accepted before
                              * node_accept(). 0: its own */
};

/* Starts everything; when it returns 0 webhooks are answered. `why` says what to do otherwise. */
int node_start(struct node **out, const struct node_opts *o, char *why, size_t cap);

/* Begins to accept on the socket that was handed over, and knows who still has calls here. */
int node_accept(struct node *n, char *why, size_t cap);

/* Another process accepts from now on: we stop, and answer what it passes on to us. Nobody is refused:
 * who had come through the door is served. Any thread. */
int node_step_aside(struct node *n);
int node_listen_fd(struct node *n);

/* Processes on this data folder that still have calls and hear of them through us. */
unsigned node_peers(struct node *n);

/* Streams end, so that Twilio asks and another process goes on with their calls. `all`: also those
 * that somebody's life may hang on; else they are left. How many were asked to. */
unsigned node_hand_on(struct node *n, bool all);

/* Nothing is accepted any more; who comes now waits for the next process on this socket. */
void node_close_doors(struct node *n);
bool node_inherited(struct node *n); /* the socket outlives us: whoever started us keeps it */

/* Its threads still come round: changes within a second or two while all is well. */
bool node_is_alive(struct node *n);

/* Calls, and scripts that still have something to do. */
unsigned node_busy(struct node *n);

/* Refuses new calls (they get the fallback), keeps the others. Any thread; repeating is fine. */
void node_drain(struct node *n);
/* Takes new calls again. RD_ESTATE after node_leave(). Any thread; repeating is fine. */
int node_undrain(struct node *n);
/* Drains for good: this process ends when its calls have. */
void node_leave(struct node *n);

/* Ends what is left, joins the threads and frees. */
void node_stop(struct node *n);

/* Certificates and agents again, soon: the ticket asks node_reloaded() what came of it. What is wrong
 * is logged and counted; the old ones stay. Any thread. */
uint64_t node_reload(struct node *n);
int node_reloaded(struct node *n, uint64_t ticket, struct buf *out); /* -EAGAIN: not yet */

/* The agents as one JSON object: those in use, older versions that calls have, what did not load. And
 * one of them as people want to see it: RD_EGONE when there is none of that name. */
int node_agents_json(struct node *n, struct buf *out);
int node_agent_json(struct node *n, const char *name, struct buf *out);

/* Facts for status and health, as one JSON object; gauges are read without stopping anything. */
int node_status_json(struct node *n, struct buf *out);

/* One JSON array of the calls now in the directory. */
int node_calls_json(struct node *n, struct buf *out);

/* Calls that hold a slot now. */
unsigned node_calls(struct node *n);

/* A job of the library (scripts/ringdown/operations.lua), soon; `json` is an object. What it tells and how
 * it fails is logged. RD_EFULL. Any thread, while the node runs. */
int node_operate(struct node *n, const char *kind, const char *json);

/* The same for somebody who waits for the result (agent/host.h). Any thread, while the node runs. */
int node_ask(struct node *n, const struct operation_order *o);

/* The synthetic call, as gateway/ringing.h has it. Any thread, while the node runs. */
int node_ring(struct node *n, const char *json);
int node_rung(struct node *n, struct buf *out);
void node_ring_judged(struct node *n, bool good, struct rd_str json);

/* Would a new call be taken? Any thread. */
struct node_readiness {
    bool draining;
    bool configured; /* false: there are agents, and none of them loads */
};
void node_readiness(struct node *n, struct node_readiness *out);

/* What an operator may want of a call; `who` goes into its records. All return at once: 0, RD_EGONE
 * when there is no such call, RD_ESTATE when its caller is with somebody else, RD_EFULL. Strings are
 * copied. Any thread.
 *
 * Asks it to end after what is being said was heard; a call whose caller is with somebody else ends at
 * once, by the carrier: RD_ESTATE when that cannot be asked. */
int node_hang_up(struct node *n, const char *call_sid, const char *who);

/* Tells the model something the caller does not hear; `now`: it answers at once. */
int node_whisper(struct node *n, const char *call_sid, const char *text, bool now, const char *who);

/* Has the carrier dial `to` (a number, or one of the agent's people) for the caller. The call's
 * records say what came of it: "transfer" refused, or "ended" by "transferred". */
int node_transfer(struct node *n, const char *call_sid, const char *to, const char *who);

/* Rehearses a rule of an agent with its people; `who` goes into the audit. Its number goes into `id`;
 * events of type "drill" with it tell the rest. 0, RD_EGONE when there is no such agent, RD_EFULL. */
enum { NODE_DRILL_ID = 24 };
int node_drill(struct node *n, const char *agent, const char *rule, const char *who,
               char id[NODE_DRILL_ID]);

/* Looks at once whether the operator has changed numbers or sites; how far this node has come
 * (numbers_version in the database). */
uint64_t node_refresh_numbers(struct node *n);

uint16_t node_port(struct node *n);

#endif
