/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - the script threads: each a loop with a mailbox, one Lua VM per call, tools as
 * coroutines.
 *
 * In:  MSG_CALL_OPEN, MSG_CALL_ATTACHED, MSG_CALL_EVENT, MSG_RESUME, MSG_ERRAND, MSG_OPERATE,
 *      MSG_RELOAD, MSG_SWEEP, MSG_STOP.
 * Out: MSG_CALL_OPENED, MSG_RESUMED, MSG_CALL_COMMAND to the media thread that asked or has the call.
 * A call's VM goes with AGENT_ENDED, or when MSG_CALL_OPEN could not be answered. */
#ifndef AGENT_HOST_H
#define AGENT_HOST_H

#include "agent/agents.h"
#include "io/mailbox.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct asker;
struct journal;
struct script_pool;

enum { SCRIPT_DRILL_ID = 24 };

/* A fact that a script tells. Borrowed for the call. */
struct script_fact {
    call_handle call; /* 0: of none */
    const char *sid;  /* the carrier's id of the call; "": of none */
    const char *agent;
    const char *type;      /* of docs/records.md */
    struct rd_str members; /* what a JSON object has between its braces, redacted; may be empty */
};

/* What the node around the scripts can do for an operation: host.node (api/api_node.c). Any script
 * thread; all return at once. `arg` is that of struct script_lent. Results as in gateway/node.h. */
struct script_node {
    int (*status)(void *arg, struct buf *out);
    int (*calls)(void *arg, struct buf *out);
    int (*agents)(void *arg, struct buf *out);
    int (*agent)(void *arg, const char *name, struct buf *out);
    uint64_t (*reload)(void *arg);
    int (*reloaded)(void *arg, uint64_t ticket, struct buf *out); /* -EAGAIN: not yet */
    int (*hang_up)(void *arg, const char *sid, const char *who);
    int (*whisper)(void *arg, const char *sid, const char *text, bool now, const char *who);
    int (*transfer)(void *arg, const char *sid, const char *to, const char *who);
    int (*drill)(void *arg, const char *agent, const char *rule, const char *who,
                 char id[SCRIPT_DRILL_ID]);
    uint64_t (*refresh_numbers)(void *arg);
    void (*drain)(void *arg);
    int (*undrain)(void *arg);                                     /* RD_ESTATE: it leaves */
    int (*operate)(void *arg, const char *kind, const char *json); /* a job in the background */
    int (*ring)(void *arg, const char *json); /* the synthetic call: gateway/ringing.h */
    int (*rung)(void *arg, struct buf *out);  /* -EAGAIN: it goes on */
    void (*ring_judged)(void *arg, bool good, struct rd_str json);
};

struct script_lent {
    const struct script_node *can;
    void *arg; /* NULL: the node is not there yet, or not any more */
};

struct script_opts {
    unsigned threads;
    unsigned aside; /* threads besides, without calls, for operations that people wait for */
    size_t mailbox_capacity; /* messages per thread, reserved credits included */
    const char *agents_path, *library_path;
    const char *ca_file;      /* for HTTP from scripts; NULL: the system's */
    struct agent_set *agents; /* refs: the set calls are opened against */
    const char *twilio_api, *twilio_sid,
        *twilio_token;                   /* for scripts/ringdown/twilio; "" when none */
    const char *vapi_api, *vapi_key;     /* for scripts/ringdown/vapi; "" when none */
    const char *openai_url, *openai_key; /* for scripts/ringdown/health; "" when none */
    const char *heartbeat_url;           /* the same */
    const char
        *kept_path;      /* a folder for host.keep(), made when needed; NULL: nothing may be kept */
    const char *secrets; /* "NAME=value" lines for agents; NULL: the environment only */
    const char *http_resolve; /* "host=address:port" lines: where agents' hosts are; NULL: DNS */
    uint16_t own_ports[4];    /* that we listen on; 0-terminated */
    const char *public_url;   /* what callers of our webhooks call us; NULL or "": not known */
    const char *resume_url;   /* public, for TwiML that comes back */
    /* For mails and alerts; NULL or "": none. A JSON list; the path of a Lua file. */
    const char *smtp_url, *smtp_from, *smtp_ca, *alert_channels, *alert_rules;
    const char *number_key;  /* phone numbers are hashed with it */
    int call_deadline_ms;    /* per entry into the script */
    struct journal *journal; /* borrows; what writes wait for. NULL: they do not */
    /* Borrow; whom the library asks as Ringdown, and whom agents ask as themselves. NULL: nobody.
     * Hushed before script_pool_stop(). */
    struct asker *asker, *agent_asker;
    /* Instead of `asker` for threads without calls, so that calls never wait behind what these ask.
     * NULL: the same. As the two above. */
    struct asker *aside_asker;
    const struct script_lent *lent; /* borrows; NULL: there is no node (a command's process) */
    /* Posts to a media thread without a credit; the message is consumed. */
    void (*to_media)(void *arg, unsigned media_thread, struct message *m);
    /* Does this call go on? Any thread. NULL: nobody is asked, and nothing is swept. */
    bool (*knows_call)(void *arg, call_handle call);
    /* Which script thread has this call? Any thread. NULL: the first has all of them. */
    unsigned (*thread_of)(void *arg, call_handle call);
    /* The site of this agent's number as a JSON object, into `out` (inited, empty); false: it has none.
     * Script threads. NULL: there are no sites. */
    bool (*site_of)(void *arg, const char *agent, struct rd_str number, struct buf *out);
    /* True the first time this process hears of the key, for `ms`; and whether it has, without that
     * being a time. Any thread. NULL: always; never. */
    bool (*first_time)(void *arg, const uint8_t key[32], uint32_t ms);
    bool (*was_there)(void *arg, const uint8_t key[32]);
    /* Keeps a fact. Script threads. NULL: nobody does. */
    void (*keep_fact)(void *arg, const struct script_fact *f);
    void *arg;
};

int script_pool_start(struct script_pool **out, const struct script_opts *o);
void script_pool_stop(struct script_pool *p); /* posts MSG_STOP, joins, frees */
unsigned script_pool_size(const struct script_pool *p);
struct mailbox *script_pool_mailbox(struct script_pool *p, unsigned thread);
void script_pool_sweep(struct script_pool *p); /* posts MSG_SWEEP: scripts without a call go */

/* Something to be done for an agent beside a call (its handle, and the media thread that has it) or
 * without one (0): a VM of its own runs scripts/ringdown/errand.lua for `kind`. `json` is an object;
 * its member "call" is the carrier's id of the call. RD_EFULL: too much is being done already; what
 * it was for must not be lost. RD_ETOOBIG. Any thread. */
int script_pool_errand(struct script_pool *p, const char *agent, const char *kind, const char *json,
                       call_handle call, unsigned media_thread);

/* The same of no call, for a request of a media thread that waits for the errand's reply: MSG_REPLIED with
 * this number, once. */
int script_pool_question(struct script_pool *p, const char *agent, const char *kind,
                         const char *json, unsigned media_thread, uint64_t number);

/* Where an errand is, for addresses that the carrier calls later: "1.17", thread and number. */
struct errand_place {
    unsigned thread;
    uint64_t errand;
};
enum { ERRAND_PLACE_TEXT = 32 };
void errand_place_write(const struct errand_place *p, char out[ERRAND_PLACE_TEXT]);
bool errand_place_read(struct errand_place *out, struct rd_str text); /* false: is none */

/* Is it one of this process's? Their numbers never come twice, not in another process either. */
bool script_pool_has_errand(const struct script_pool *p, const struct errand_place *at);

/* A letter for the errand that is there, if it still is. RD_EGONE: no such thread. Any thread. */
int script_pool_letter(struct script_pool *p, const struct errand_place *at, struct rd_str kind,
                       struct rd_str json);

/* How an operation ended. Borrowed for the call. */
struct operation_end {
    int rc;             /* 0; RD_ESCRIPT, RD_EBUDGET, -ETIMEDOUT, RD_EGONE (the thread ended) */
    struct rd_str text; /* the result as JSON; when rc: why not, for people */
    struct rd_str traceback; /* when rc: for the log */
};

/* A job of the library (scripts/ringdown/operations.lua) of no agent and no call, in a VM of its own: it
 * may wait, and tells lines as it goes. */
struct operation_order {
    const char *kind;   /* of the table there; copied */
    struct rd_str json; /* an object; copied */
    const char *who;    /* a person, for the audit; copied. NULL: "ringdown" */
    uint32_t budget_ms; /* in all; 0: 10 minutes */
    bool aside;         /* on a thread without calls, if there is one */
    const atomic_bool
        *stop; /* borrows until `done`; when true, host.stopping() says so. NULL: never */
    void (*line)(void *arg, struct rd_str json); /* script thread; NULL: nobody listens */
    /* Exactly once after script_pool_operate() returned 0; script thread. */
    void (*done)(void *arg, const struct operation_end *e);
    void *arg;
};

/* RD_EFULL: too much is being done already; RD_ETOOBIG. Any thread. */
int script_pool_operate(struct script_pool *p, const struct operation_order *o);

/* Do all threads come round? */
bool script_pool_is_alive(struct script_pool *p, uint64_t now_ms);

unsigned script_pool_vms(const struct script_pool *p);    /* live VMs, all threads */
size_t script_pool_vm_bytes(const struct script_pool *p); /* of calls', a second ago */

/* The set of agents in use now; refs for the caller. And its replacement (refs). Any thread. */
struct agent_set *script_pool_agents(struct script_pool *p);
void script_pool_set_agents(struct script_pool *p, struct agent_set *s);

#endif
