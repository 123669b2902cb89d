/* SPDX-License-Identifier: Apache-2.0 */
/* fake_story.h - the fixture of tests that tell stories of one call: the fake and the brief it has, made
 * anew for each. A call that a story leaves open is ended, and must have let go by then. */
#ifndef TESTS_FAKE_STORY_H
#define TESTS_FAKE_STORY_H

#include "fake_call.h"

extern struct fake f;
extern struct brief brief;

int story_set_up(void **state);
int story_tear_down(void **state);

#define STORY(t) cmocka_unit_test_setup_teardown(t, story_set_up, story_tear_down)

#endif
