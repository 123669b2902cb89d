/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.c - a node that says what the test wants. */
#include "unit/control/fake_node.h"

#include "base/err.h"

#include <string.h>

int node_status_json(struct node *n, struct buf *out)
{
    return buf_add_str(out, fake_of(n)->status);
}

int node_calls_json(struct node *n, struct buf *out)
{
    return buf_add_str(out, fake_of(n)->calls);
}

int node_hang_up(struct node *n, const char *call_sid)
{
    struct fake_node *f = fake_of(n);

    rd_str_copy(f->hung_up, sizeof(f->hung_up), rd_str(call_sid));
    return strcmp(call_sid, "CAlive") == 0 ? 0 : RD_EGONE;
}
