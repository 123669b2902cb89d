/* SPDX-License-Identifier: Apache-2.0 */
/* fake_settings.h - the fixture of tests of the configuration: an empty folder with agents and library in
 * it, which is the current one, and an environment that says nothing. */
#ifndef TESTS_FAKE_SETTINGS_H
#define TESTS_FAKE_SETTINGS_H

#include "gateway/settings.h"

#include <sys/types.h>

struct world {
    char dir[64];
    char file[128];  /* the configuration */
    char start[512]; /* the directory the test began in */
    struct buf complaints;
    struct settings *settings;
};

int world_set_up(void **state);
int world_tear_down(void **state);

void world_write(const char *name, const char *text, mode_t mode);

int world_load(struct world *w, enum settings_use use);

/* What was complained of, a line each. */
const char *world_told(struct world *w);
unsigned world_lines_told(struct world *w);
void world_assert_told(struct world *w, const char *line);

extern const char world_good[]; /* a right configuration */

#define STORY(t) cmocka_unit_test_setup_teardown(t, world_set_up, world_tear_down)

#endif
