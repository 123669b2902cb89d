/* SPDX-License-Identifier: Apache-2.0 */
/* fake_leg_story.h - the fixture of tests that follow one leg: a pool on the fake loop, and the core that
 * hears of it. */
#ifndef TESTS_FAKE_LEG_STORY_H
#define TESTS_FAKE_LEG_STORY_H

#include "unit/providers/fake_leg.h"

extern struct fake_core core;
extern struct openai_pool *pool;

int leg_set_up(void **state);
struct provider_leg *leg_opened(void); /* it dials */

/* An error event of OpenAI; NULL: null. */
void leg_says_error(const char *code, const char *type, const char *message, const char *event_id);

#define STORY(name) cmocka_unit_test_setup(name, leg_set_up)

#endif
