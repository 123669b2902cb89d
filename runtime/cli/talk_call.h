/* SPDX-License-Identifier: Apache-2.0 */
/* talk_call.h - one call that is typed: the agent's real scripts, a model in text, and telephones that
 * are simulated. Shows what happens (talk_screen.h). Loop's thread only. */
#ifndef CLI_TALK_CALL_H
#define CLI_TALK_CALL_H

#include "agent/agents.h"
#include "gateway/settings.h"
#include "io/loop.h"
#include "io/tls.h"
#include "sim/scenario.h"

#include <stdbool.h>

struct talk_call;

struct talk_call_opts {
    struct loop *loop;
    struct tls_client *tls;
    const struct settings *settings;
    struct agent_set *agents; /* refs */
    const struct agent_info *agent;
    const char *from;
    struct asker *asker, *agent_asker;         /* borrow; NULL: no database */
    const struct scenario *scenario;           /* borrows; NULL: none */
    const char *model_url, *model_key, *model; /* borrow */
    void (*changed)(void *arg); /* whatever the functions below say may be different now */
    void *arg;
};

/* 0, or an error that was told. */
int talk_call_start(struct talk_call **out, const struct talk_call_opts *o);
void talk_call_stop(
    struct talk_call *c); /* NULL is fine; joins the script threads. Askers are hushed by then */

void talk_call_hear(struct talk_call *c, const char *words);
void talk_call_digits(struct talk_call *c, const char *digits);
void talk_call_silence(struct talk_call *c);
void talk_call_look(struct talk_call *c); /* shows call.vars */
void talk_call_hang_up(struct talk_call *c);

bool talk_call_listens(const struct talk_call *c); /* the caller may say something now */
bool talk_call_over(const struct talk_call *c);
bool talk_call_failed(const struct talk_call *c); /* over, and not as it should be */
bool talk_call_settled(
    const struct talk_call *c); /* nothing goes on any more, in it or beside it */

#endif
