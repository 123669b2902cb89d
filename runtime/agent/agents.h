/* SPDX-License-Identifier: Apache-2.0 */
/* agents.h - the loaded agents as C needs them: which number is whose, and what a caller gets when
 * no script can be asked. An immutable, reference-counted set; a reload makes a new one. Any
 * thread. */
#ifndef AGENT_AGENTS_H
#define AGENT_AGENTS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree;

struct agent_info {
    const char *name;
    const char *version;        /* hash of all source it loaded */
    const char *const *numbers; /* NULL-terminated, E.164 */
    const char *fallback_twiml; /* whole document, checked; never NULL */
    const char *nobody_twiml;   /* when the fallback found nobody; dials no one; never NULL */
    const char *vapi_twiml;     /* sends the call to Vapi; NULL when the agent has no vapi table */
    const char *vapi_assistant; /* its assistant there; NULL: none */
    const char *rules;          /* of its emergencies, for the triage desk, JSON; NULL: none */
    const char *warnings;       /* lines of what is allowed and probably not meant; NULL: none */
    const char *help_twiml;     /* answers a text that asks for HELP; NULL: Twilio does */
    bool bridges;               /* its calls on Vapi run over our line: they are not sent there */
    bool bypasses;              /* its calls on Vapi are begun there before they are sent there */
    bool may_fail_over;         /* the other system takes a call that one cannot */
    int split_bp;               /* share of OpenAI that its file begins with, 0.01 %; -1: none */
    bool answers_missed;        /* has a text for calls that nobody took */
    bool record;                /* keeps the sound of its calls; the notice says so */
    uint32_t keep_transcripts_s, keep_recordings_s; /* 0: for good */
    uint32_t max_calls;                             /* at once; 0: no limit of its own */
    const char *const *hosts, *const *secrets;      /* what its requests may use; NULL-terminated */
    const char *tables;      /* which it may use by SQL: {"visits":"write"}; "{}": none */
    const char *countries;   /* where people may be called: {"US":true}; NULL: anywhere */
    const char *shown;       /* the agent as people want to see it, one JSON object */
    uint64_t loaded_unix_ms; /* this version, by this process */
};

/* What did not load. */
struct agent_error {
    const char *module; /* file or folder it stands for: "northside-plumbing" */
    const char *lines; /* "agents/x.lua:12: what is wrong…", one or more, each with its line end */
    const char *version; /* which answers meanwhile; NULL: none */
};

struct agent_set;

/* Loads every agents/X.lua and agents/X/init.lua. Agents that do not load are left out and each
 * complaint is a line "agents/x.lua:12: what is wrong and what is allowed". Returns 0 even then,
 * with `n_errors` in the set; -ENOMEM, -ENOENT when the folder is missing. Blocks: not on a media
 * thread. */
int agent_set_load(struct agent_set **out, const char *agents_path, const char *library_path,
                   struct buf *complaints);

/* The same beside a set that is in use: an agent whose file no longer loads stays as it was in `old`
 * (and counts as an error); one whose file is gone, goes; one of which nothing changed is not loaded
 * again. */
int agent_set_reload(struct agent_set **out, struct agent_set *old, const char *agents_path,
                     const char *library_path, struct buf *complaints);

/* The same from trees (agent/tree.h): both are read once, so all agents are of one moment. `folder`
 * is how messages call it. A tree that cannot be read is a complaint. */
int agent_set_make(struct agent_set **out, struct agent_set *old, struct tree *agents,
                   struct tree *library, const char *folder, struct buf *complaints);
int agent_library_read(struct tree **out, const char *library_path, struct buf *complaints);
struct tree *agent_set_tree(const struct agent_set *s); /* of the agents; borrows */

struct agent_set *agent_set_ref(struct agent_set *s);
void agent_set_unref(struct agent_set *s);

size_t agent_set_count(const struct agent_set *s);
size_t agent_set_errors(const struct agent_set *s);
struct agent_error agent_set_error(const struct agent_set *s, size_t i);
const struct agent_info *agent_set_at(const struct agent_set *s, size_t i);
const struct agent_info *agent_by_number(const struct agent_set *s, struct rd_str number);
const struct agent_info *agent_by_name(const struct agent_set *s, struct rd_str name);

/* Of an assistant at Vapi. NULL when more than one agent has it, too: nobody can say whose call it is. */
const struct agent_info *agent_by_assistant(const struct agent_set *s, const char *id);

/* A call keeps its agent's version, and that only, until it lets go. NULL is fine for the latter. */
const struct agent_info *agent_hold(const struct agent_info *a);
void agent_let_go(const struct agent_info *a);

/* Each text of the agents' folder that the agent loaded, by its path below it. */
void agent_each_file(const struct agent_info *a, void (*fn)(void *arg, const char *path),
                     void *arg);

/* The versions that exist in this process, newest first, and how many calls each has: those in use,
 * and those before them until their last call ended. */
struct agent_version {
    char name[64], version[17];
    unsigned calls;
};
size_t agent_living(struct agent_version *out, size_t max);
size_t agent_living_count(void);

/* The fallback when not even an agent is known: an apology and a hang-up. */
const char *agent_default_fallback(void);

#endif
