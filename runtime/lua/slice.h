/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h - how long a script may be at it: what its thread computes, because a busy machine's pauses
 * are nobody's fault, and, far behind it, what passes on the wall. One thread. */
#ifndef LUA_SLICE_H
#define LUA_SLICE_H

#include "lua/vm.h"

struct slice_used {
    uint64_t cpu_us, wall_us;
};

struct slice {
    const struct vm_time *time;
    struct slice_used max;   /* cpu_us 0: no limit */
    struct slice_used began; /* of this entry, by both clocks, less what was used before it */
    uint64_t look_us;        /* on the wall; before that nothing can be used up */
};

extern const struct vm_time slice_time; /* the real clocks */

/* An entry begins; `before`: what was used of the same slice, NULL: nothing. */
void slice_begin(struct slice *s, const struct slice_used *before);

/* NULL: go on. Else what was used up, in words. Cheap to ask again and again. */
const char *slice_over(struct slice *s, uint64_t now_us);

/* What was used of it, with what was used before. */
struct slice_used slice_end(const struct slice *s);

#endif
