/* SPDX-License-Identifier: Apache-2.0 */
/* The playout buffer of the simulated telephone network.
 *
 * Happy path
 *   - media arrives faster than real time and is appended to one byte queue;
 *   - each tick takes 160 bytes: they are "in flight" (in the caller's ear) until the next tick,
 * then they count as played;
 *   - a mark remembers how much audio stood before it and is echoed when that much was played.
 *
 * Failure modes
 *   - clear: the queue is dropped and all marks come back at once, in order, heard or not;
 *   - more than ten minutes queued: refused, the queue stays as it was.
 *
 * Positions count bytes accepted since the start. A clear moves `played` plus the frame in flight
 * straight to the end of what was accepted, so that a later mark compares with the right number.
 *
 *      played      in flight        queue                accepted
 *   ─────┴─────────────┴──────────────┴──────────────────────┘
 */
#include "sim/carrier/playout.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE = 0xFF };

struct mark {
    char *name;   /* owns */
    uint64_t pos; /* bytes accepted before it */
};

struct playout {
    uint8_t *data; /* owns; the queue is data[head..tail) */
    size_t head, tail, cap;
    size_t in_flight;
    uint64_t accepted, played, cleared;
    struct mark *marks; /* owns; outstanding are [mark_head..mark_tail) */
    size_t mark_head, mark_tail, mark_cap;
    playout_mark_fn *on_mark;
    void *arg;
};

static size_t queued(const struct playout *p)
{
    return p->tail - p->head;
}

int playout_new(struct playout **out, playout_mark_fn *on_mark, void *arg)
{
    struct playout *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->on_mark = on_mark;
    p->arg = arg;
    *out = p;
    return 0;
}

static void marks_drop(struct playout *p)
{
    for (size_t i = p->mark_head; i < p->mark_tail; i++)
        free(p->marks[i].name);
    p->mark_head = p->mark_tail = 0;
}

void playout_free(struct playout *p)
{
    if (!p)
        return;
    marks_drop(p);
    free(p->marks);
    free(p->data);
    free(p);
}

static int data_reserve(struct playout *p, size_t n)
{
    size_t cap = p->cap;
    uint8_t *data;

    if (p->head > 0) {
        memmove(p->data, p->data + p->head, queued(p));
        p->tail -= p->head;
        p->head = 0;
    }
    if (p->tail + n <= p->cap)
        return 0;
    while (cap < p->tail + n)
        cap = cap ? cap * 2 : 16384;
    data = realloc(p->data, cap);
    if (!data)
        return -ENOMEM;
    p->data = data;
    p->cap = cap;
    return 0;
}

int playout_audio(struct playout *p, const uint8_t *ulaw, size_t n)
{
    if (n == 0)
        return 0;
    if (n > PLAYOUT_MAX || queued(p) + n > PLAYOUT_MAX)
        return RD_EFULL;
    if (p->tail + n > p->cap) {
        int rc = data_reserve(p, n);
        if (rc)
            return rc;
    }
    memcpy(p->data + p->tail, ulaw, n);
    p->tail += n;
    p->accepted += n;
    return 0;
}

/* Echoes every mark whose audio has been heard. A callback may not add marks. */
static void marks_echo(struct playout *p, uint64_t upto)
{
    while (p->mark_head < p->mark_tail && p->marks[p->mark_head].pos <= upto) {
        char *name = p->marks[p->mark_head++].name;
        p->on_mark(name, p->arg);
        free(name);
    }
    if (p->mark_head == p->mark_tail)
        p->mark_head = p->mark_tail = 0;
}

static int marks_reserve(struct playout *p)
{
    size_t n = p->mark_tail - p->mark_head, cap;
    struct mark *marks;

    if (p->mark_tail < p->mark_cap)
        return 0;
    if (n >= PLAYOUT_MARKS_MAX)
        return RD_EFULL;
    if (p->mark_head > 0) {
        memmove(p->marks, p->marks + p->mark_head, n * sizeof(*p->marks));
        p->mark_head = 0;
        p->mark_tail = n;
        return 0;
    }
    cap = p->mark_cap ? p->mark_cap * 2 : 64;
    marks = realloc(p->marks, cap * sizeof(*marks));
    if (!marks)
        return -ENOMEM;
    p->marks = marks;
    p->mark_cap = cap;
    return 0;
}

int playout_mark(struct playout *p, const char *name)
{
    char *copy;
    int rc = marks_reserve(p);

    if (rc)
        return rc;
    copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    p->marks[p->mark_tail++] = (struct mark){copy, p->accepted};
    marks_echo(p, p->played);
    return 0;
}

size_t playout_clear(struct playout *p)
{
    size_t n = queued(p);

    p->cleared += n;
    p->head = p->tail = 0;
    p->accepted -= n;
    marks_echo(p, UINT64_MAX);
    return n;
}

void playout_reset(struct playout *p)
{
    p->accepted -= queued(p);
    p->head = p->tail = 0;
    marks_drop(p);
}

size_t playout_tick(struct playout *p, uint8_t frame[PLAYOUT_FRAME])
{
    size_t n = queued(p) < PLAYOUT_FRAME ? queued(p) : PLAYOUT_FRAME;

    p->played += p->in_flight;
    if (n > 0)
        memcpy(frame, p->data + p->head, n);
    memset(frame + n, SILENCE, PLAYOUT_FRAME - n);
    p->head += n;
    if (p->head == p->tail)
        p->head = p->tail = 0;
    p->in_flight = n;
    marks_echo(p, p->played);
    return n;
}

bool playout_idle(const struct playout *p)
{
    return queued(p) == 0 && p->in_flight == 0;
}

uint64_t playout_played(const struct playout *p)
{
    return p->played;
}

uint64_t playout_cleared(const struct playout *p)
{
    return p->cleared;
}
