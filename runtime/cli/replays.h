/* SPDX-License-Identifier: Apache-2.0 */
/* replays.h - recorded calls against agents: for `ringdown replay`, and for `ringdown agents publish
 * --replay`, which lets nothing through that finds fewer emergencies. */
#ifndef CLI_REPLAYS_H
#define CLI_REPLAYS_H

#include "agent/tree.h"
#include "cli/ask.h"

#include <stdbool.h>
#include <stdio.h>

struct replays_opts {
    const struct settings *settings;
    const char *command;   /* as complaints name it: "replay" */
    struct asking *asking; /* borrows, open; NULL: without a database */
    struct tree *tree;     /* refs: the agents that recordings are played on */
    const char *of_agent;  /* only this one's calls; NULL: every agent's */
    const char *since;     /* NULL: however old */
    FILE *to;              /* where it prints */
    int most_shown;        /* calls that differ, for people; 0: all */
    bool json, show;       /* show: what one version does, and no comparison */
};

struct replays_totals {
    unsigned calls, same, different, unplayable;
    unsigned lost;    /* calls with an emergency less */
    unsigned drifted; /* calls that their own version did not do again as recorded */
    unsigned noted;   /* calls of which something is not known */
    uint64_t call_ms;
    double seconds;
};

struct replays;

/* EXIT_OK, or EXIT_FAILED after a complaint. */
int replays_begin(struct replays **out, const struct replays_opts *o);
void replays_end(struct replays *r); /* NULL is fine */

/* Each prints what it found. EXIT_FAILED: it could not be looked for; that one call cannot be replayed
 * is counted instead. */
int replays_text(struct replays *r, struct rd_str recording);
int replays_call(struct replays *r, const char *call);
int replays_last(struct replays *r, int n);

void replays_print_totals(struct replays *r);
struct replays_totals replays_totals(const struct replays *r);

/* The recording of a call and a spec about it, as files beside each other. */
int replays_write_spec(struct replays *r, const char *call, const char *folder);

#endif
