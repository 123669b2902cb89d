/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.h - a node that says what the test wants. */
#ifndef TESTS_FAKE_NODE_H
#define TESTS_FAKE_NODE_H

#include "gateway/node.h"

struct fake_node {
    const char *status, *calls;
    char asked_of[64], asked[256];
    unsigned reloads;
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
