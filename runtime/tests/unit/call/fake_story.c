/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_story.h"

struct fake f;
struct brief brief;

int story_set_up(void **state)
{
    (void)state;
    brief = fake_brief();
    return 0;
}

int story_tear_down(void **state)
{
    (void)state;
    fake_stop(&f);
    return f.call ? 1 : 0;
}
