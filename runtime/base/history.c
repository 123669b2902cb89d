/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - an array of items, oldest first, each one heap block with its words behind it.
 *
 * - added: at the end; then the oldest leave until both limits hold again.
 * - a tool's output: its item is made anew with the output in it, in the same place.
 *
 * Failure modes: no memory loses the item that was to be added, never those that are here; words that
 * are longer than one item may have are cut at a character. */
#include "base/history.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>

struct item {
    struct history_item view; /* its strings are in `words` */
    size_t n_words;
    char words[];
};

struct history {
    struct item *items[HISTORY_ITEMS + 1]; /* owns */
    size_t n, n_bytes;
};

struct history *history_new(void)
{
    return calloc(1, sizeof(struct history));
}

void history_free(struct history *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->n; i++)
        free(h->items[i]);
    free(h);
}

/* At most HISTORY_TEXT_MAX bytes, and no half of a character at the end. */
static struct rd_str shortened(struct rd_str s)
{
    if (s.n <= HISTORY_TEXT_MAX)
        return s;
    s.n = HISTORY_TEXT_MAX;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
        s.n--;
    return s;
}

static struct rd_str put(char **at, struct rd_str s)
{
    struct rd_str copy = {*at, s.n};

    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct item *item_new(struct history_item from)
{
    struct item *it;
    char *at;

    from.text = shortened(from.text);
    from.output = shortened(from.output);
    it = malloc(sizeof(*it) + from.text.n + from.id.n + from.name.n + from.output.n);
    if (!it)
        return NULL;
    it->view = from;
    it->n_words = from.text.n + from.id.n + from.name.n + from.output.n;
    at = it->words;
    it->view.text = put(&at, from.text);
    it->view.id = put(&at, from.id);
    it->view.name = put(&at, from.name);
    it->view.output = put(&at, from.output);
    return it;
}

static void drop_oldest(struct history *h)
{
    h->n_bytes -= h->items[0]->n_words;
    free(h->items[0]);
    memmove(&h->items[0], &h->items[1], --h->n * sizeof(struct item *));
}

static void keep_limits(struct history *h)
{
    while (h->n > HISTORY_ITEMS || h->n_bytes > HISTORY_BYTES)
        drop_oldest(h);
}

static int add(struct history *h, struct history_item from)
{
    struct item *it = item_new(from);

    if (!it)
        return -ENOMEM;
    h->items[h->n++] = it;
    h->n_bytes += it->n_words;
    keep_limits(h);
    return 0;
}

int history_add_turn(struct history *h, enum history_kind who, struct rd_str text)
{
    if (text.n == 0)
        return 0;
    return add(h, (struct history_item){.kind = who, .text = text});
}

int history_add_tool(struct history *h, struct rd_str id, struct rd_str name,
                     struct rd_str arguments)
{
    return add(
        h, (struct history_item){.kind = HISTORY_TOOL, .text = arguments, .id = id, .name = name});
}

static struct item **find_tool(const struct history *h, struct rd_str id)
{
    for (size_t i = h->n; i > 0; i--) {
        struct item *const *at = &h->items[i - 1];

        if ((*at)->view.kind == HISTORY_TOOL && rd_str_eq((*at)->view.id, id))
            return (struct item **)at;
    }
    return NULL;
}

int history_tool_output(struct history *h, struct rd_str id, struct rd_str output)
{
    struct item **at = find_tool(h, id), *old, *it;
    struct history_item from;

    if (!at)
        return RD_EGONE;
    old = *at;
    from = old->view;
    from.output = output;
    from.has_output = true;
    it = item_new(from);
    if (!it)
        return -ENOMEM;
    *at = it;
    h->n_bytes = h->n_bytes - old->n_words + it->n_words;
    free(old);
    keep_limits(h);
    return 0;
}

size_t history_count(const struct history *h)
{
    return h->n;
}

struct history_item history_at(const struct history *h, size_t i)
{
    return h->items[i]->view;
}

bool history_find_tool(const struct history *h, struct rd_str id, struct history_item *out)
{
    struct item **at = find_tool(h, id);

    if (at)
        *out = (*at)->view;
    return at != NULL;
}
