/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - one heap block per message: the struct, then its strings, each NUL-terminated. So a
 * message is freed with one free() on any thread and points into nobody's memory. */
#include "io/mailbox.h"

#include <stdlib.h>
#include <unistd.h>

static void put_strings(struct message *m, const struct rd_str *s, int n)
{
    char *at = (char *)(m + 1);
    int i;

    for (i = 0; i < MESSAGE_STRINGS; i++) {
        size_t len = i < n ? s[i].n : 0;

        m->s[i] = (struct rd_str){at, len};
        if (len > 0)
            memcpy(at, s[i].p, len);
        at[len] = '\0';
        at += len + 1;
    }
}

struct message *message_new(enum message_type type, call_handle call, const struct rd_str *s, int n)
{
    size_t bytes = sizeof(struct message) + MESSAGE_STRINGS;
    struct message *m;
    int i;

    if (n > MESSAGE_STRINGS)
        return NULL;
    for (i = 0; i < n; i++) {
        if (s[i].n > SIZE_MAX - bytes)
            return NULL;
        bytes += s[i].n;
    }
    m = malloc(bytes);
    if (!m)
        return NULL;
    *m = (struct message){.type = type, .call = call, .fd = -1};
    put_strings(m, s, n);
    return m;
}

void message_free(struct message *m)
{
    if (!m)
        return;
    brief_unref(m->brief);
    if (m->fd >= 0)
        close(m->fd);
    free(m);
}
