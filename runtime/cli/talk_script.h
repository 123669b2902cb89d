/* SPDX-License-Identifier: Apache-2.0 */
/* talk_script.h - the script thread of one typed call: what is told to it, and where its answers, its
 * commands and its facts (as MSG_RECORD) go. Loop's thread only. */
#ifndef CLI_TALK_SCRIPT_H
#define CLI_TALK_SCRIPT_H

#include "agent/agents.h"
#include "gateway/settings.h"
#include "io/mailbox.h"
#include "ports/agent.h"
#include "ports/messages.h"

struct talk_script;

struct talk_script_opts {
    const struct settings *settings;
    struct agent_set *agents;            /* refs */
    struct asker *asker, *agent_asker;   /* borrow; NULL: no database */
    const char *twilio_api, *resume_url; /* of the simulated telephones */
    struct mailbox *inbox;               /* borrows */
};

int talk_script_start(struct talk_script **out, const struct talk_script_opts *o);
void talk_script_stop(struct talk_script *t); /* NULL is fine; joins the thread */

/* What happens in the call, and a question about it; one that is not taken is told on the screen. */
void talk_script_tell(struct talk_script *t, const struct agent_event *e);
void talk_script_post(struct talk_script *t, enum message_type type, const struct rd_str *s, int n,
                      uint64_t aux);

/* A text came for the agent. */
void talk_script_text(struct talk_script *t, const char *agent, const char *json);

unsigned talk_script_vms(struct talk_script *t); /* what still runs: the call's, and beside it */

#endif
