/* SPDX-License-Identifier: Apache-2.0 */
/* fake_live.h - the fixture of tests that follow one leg to GPT-Live: a pool on the fake loop, the core that
 * hears of it, and the service's side in a few words. */
#ifndef TESTS_FAKE_LIVE_H
#define TESTS_FAKE_LIVE_H

#include "providers/live/live.h"
#include "unit/providers/fake_core.h"
#include "unit/providers/fake_io.h"

extern struct fake_core live_core;
extern struct live_pool *live;
extern struct brief live_agent;

#define LIVE_STARTED \
    "{\"type\":\"session.started\",\"event_id\":\"e1\",\"session\":{\"id\":\"live_1\"}}"

int live_set_up(void **state);
int live_put_away(void **state); /* closes the leg and checks that nothing is left */

struct provider_leg *live_opened(void); /* it dials */
struct provider_leg *live_ready(void);  /* on connection 0; what was told so far is forgotten */

/* The service speaks: frames of 20 ms, each in its time. Its stream never pauses. */
void live_sounds(unsigned ms);
void live_silence(unsigned ms);
void live_agent_words(const char *words);
void live_caller_words(const char *words);

/* The caller does, as the core hands it on. */
void live_caller_audio(unsigned ms);

#define LIVE_STORY(name) cmocka_unit_test_setup_teardown(name, live_set_up, live_put_away)

#endif
