/* SPDX-License-Identifier: Apache-2.0 */
/* fake_leg.h - what tests of sessions and pools begin with: a pool on the fake loop, an agent, and
 * the few messages with which OpenAI starts a session. */
#ifndef TESTS_FAKE_LEG_H
#define TESTS_FAKE_LEG_H

#include "providers/openai/openai.h"
#include "unit/providers/fake_core.h"
#include "unit/providers/fake_io.h"

#define CREATED                                                                             \
    "{\"type\":\"session.created\",\"event_id\":\"e1\",\"session\":{\"type\":\"realtime\"," \
    "\"id\":\"sess_1\",\"expires_at\":1756324625}}"
#define UPDATED                                                                             \
    "{\"type\":\"session.updated\",\"event_id\":\"e2\",\"session\":{\"type\":\"realtime\"," \
    "\"id\":\"sess_1\",\"expires_at\":1756324999}}"

/* session.created or session.updated of a session that goes on for so long. */
#define CREATED_FOR(text, seconds) fake_session_text(text, sizeof(text), "created", seconds)
#define UPDATED_FOR(text, seconds) fake_session_text(text, sizeof(text), "updated", seconds)
void fake_session_text(char *out, size_t cap, const char *what, unsigned seconds);

extern const struct brief fake_agent;

struct openai_pool *fake_pool(unsigned warm);

/* A leg on connection 0, dialled and ready. */
struct provider_leg *fake_ready_leg(struct openai_pool *p, struct fake_core *core);

/* Closes the leg, and the pool, and checks that nothing is left. */
void fake_put_away(struct provider_leg *leg, struct fake_core *core, struct openai_pool *p);

#endif
