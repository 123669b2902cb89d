/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.h - a node that says what the test wants. */
#ifndef TESTS_FAKE_NODE_H
#define TESTS_FAKE_NODE_H

#include "agent/host.h"
#include "gateway/node.h"

#include <stdatomic.h>

enum { FAKE_HELD = 128 };

struct fake_node {
    const char *status, *calls;
    char asked_of[64], asked[256];
    unsigned reloads;

    /* the admin API: what every operation comes to, and what the last one was about */
    const char *api_result;
    int api_rc;
    bool api_full, api_holds, is_stuck;
    char api_payload[8192], api_who[64];
    atomic_uint api_asked, n_held;
    struct operation_order held[FAKE_HELD];
    struct node_readiness readiness;
};

static inline struct fake_node *fake_of(struct node *n)
{
    return (struct fake_node *)(void *)n;
}

static inline struct node *fake_as_node(struct fake_node *f)
{
    return (struct node *)(void *)f;
}

#endif
