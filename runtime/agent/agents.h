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

struct agent_info {
    const char *name;
    const char *version;        /* hash of all source it loaded */
    const char *const *numbers; /* NULL-terminated, E.164 */
    const char *fallback_twiml; /* whole document, checked; never NULL */
    const char *vapi_twiml;     /* sends the call to Vapi; NULL when the agent has no vapi table */
    const char *rules;          /* of its emergencies, for the triage desk, JSON; NULL: none */
    const char *warnings;       /* lines of what is allowed and probably not meant; NULL: none */
    const char *help_twiml;     /* answers a text that asks for HELP; NULL: Twilio does */
    bool answers_missed;        /* has a text for calls that nobody took */
    bool record;                /* keeps the sound of its calls; the notice says so */
    uint32_t keep_transcripts_s, keep_recordings_s; /* 0: for good */
    uint32_t max_calls;                             /* at once; 0: no limit of its own */
    const char *const *hosts, *const *secrets;      /* what its requests may use; NULL-terminated */
    const char *tables; /* which it may use by SQL: {"visits":"write"}; "{}": none */
};

struct agent_set;

/* Loads every agents/X.lua and agents/X/init.lua. Agents that do not load are left out and each
 * complaint is a line "agents/x.lua:12: what is wrong and what is allowed". Returns 0 even then,
 * with `n_errors` in the set; -ENOMEM, -ENOENT when the folder is missing. Blocks: not on a media
 * thread. */
int agent_set_load(struct agent_set **out, const char *agents_path, const char *library_path,
                   struct buf *complaints);

/* The same beside a set that is in use: an agent whose file no longer loads stays as it was in `old`
 * (and counts as an error); one whose file is gone, goes. */
int agent_set_reload(struct agent_set **out, struct agent_set *old, const char *agents_path,
                     const char *library_path, struct buf *complaints);
struct agent_set *agent_set_ref(struct agent_set *s);
void agent_set_unref(struct agent_set *s);

size_t agent_set_count(const struct agent_set *s);
size_t agent_set_errors(const struct agent_set *s);
const struct agent_info *agent_set_at(const struct agent_set *s, size_t i);
const struct agent_info *agent_by_number(const struct agent_set *s, struct rd_str number);
const struct agent_info *agent_by_name(const struct agent_set *s, struct rd_str name);

/* The fallback when not even an agent is known: an apology and a hang-up. */
const char *agent_default_fallback(void);

#endif
