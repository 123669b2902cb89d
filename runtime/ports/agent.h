/* SPDX-License-Identifier: Apache-2.0 */
/* agent.h - what the call core tells the agent's script, across threads and therefore one-way. */
#ifndef PORTS_AGENT_H
#define PORTS_AGENT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum agent_event_type {
    AGENT_STARTED,   /* the caller is connected to the model */
    AGENT_UTTERANCE, /* text: what the caller said, final */
    AGENT_SAID,      /* text: what the caller heard the agent say, final */
    AGENT_TOOL_CALL, /* id, name, text: arguments as JSON */
    AGENT_DTMF,      /* text: one digit */
    AGENT_SILENCE,   /* number: how many times in a row */
    AGENT_TRANSFER,  /* text: whom the carrier shall dial: a number, or one of the agent's people */
    AGENT_AWAY, /* the carrier took the caller to somebody else, or the stream broke: it is over, the
                      * call is not. number: 1 = the notice was heard, or none is owed */
    AGENT_LOOK, /* somebody wants to see call.vars: CMD_LOOKED */
    AGENT_ENDED /* text: reason. Last */
};

struct agent_event {
    enum agent_event_type type;
    struct rd_str id, name, text;
    uint32_t number;
};

/* Takes copies. 0, or RD_EFULL when the call's credits are used up (the script does not keep up):
 * the call core then ends the call politely. AGENT_AWAY and AGENT_ENDED always fit. Media thread. */
typedef int(agent_post_fn)(void *arg, const struct agent_event *e);

#endif
