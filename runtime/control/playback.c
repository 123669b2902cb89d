/* SPDX-License-Identifier: Apache-2.0 */
/* playback.c - a struct sound per answer; one timer for all of them.
 *
 *   OPENING ─▶ headers ─▶ READING ─▶ SENDING ─what waits for the peer is little─▶ READING … ─▶ over
 *
 * - the disk is touched by helper threads alone, HELPERS at once: the same threads look up names for calls, and a
 *   disk that hangs must not have them all
 * - of a file no more than two pieces are in memory
 * - a player that is paused takes nothing: it keeps its place for STUCK_MS, then it has to ask again
 *
 * Failure modes: the file is gone (410) or cannot be read (503, or the answer ends short of its length, so
 * that nobody takes it for whole); the peer leaves, or the process ends, while a helper works: it ends for
 * nobody, and frees. */
#include "control/playback.h"

#include "base/err.h"
#include "base/log.h"
#include "control/problem.h"
#include "io/http_range.h"
#include "observe/catalogue.h"
#include "store/recording_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 128 << 10, TICK_MS = 20, STUCK_MS = 60000, NAME_BYTES = 128, DATA_BYTES = 3072 };
enum { HELPERS = 2 /* of the four that libuv has */ };

static const char type[] = "audio/wav";

struct sound {
    struct sound *next;
    struct playback *owner;       /* borrows; NULL: the process ends */
    struct http_request *request; /* borrows; NULL: nobody listens any more */
    char data[DATA_BYTES], path[RECORDING_PATH], name[NAME_BYTES];
    int fd, rc; /* rc: what the helper came to */
    bool working;
    uint64_t size, at, left;
    uint64_t holder;   /* the number of a token; 0: nobody's */
    uint64_t moved_ms; /* the peer took something then, or the disk gave it */
    size_t queued;
    size_t n_piece;
    char piece[PIECE];
};

struct playback {
    struct loop *loop;
    char data[DATA_BYTES];
    struct loop_timer *tick; /* owns */
    struct sound *first;     /* owns */
    unsigned n, working;     /* and for how many of them a helper works */
};

static const struct problem not_there = {410,
                                         "recording-gone",
                                         "The recording is not here any more",
                                         "its file is not on the disk of this node",
                                         "GET /calls/{call}/recordings says what became of it",
                                         NULL},
                            unreadable = {503,
                                          "recording-unreadable",
                                          "The recording cannot be read now",
                                          "the disk of this node refuses it",
                                          "the log of this node says why; ask again",
                                          "retry-after: 10\r\n"};

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* ---- the end of one ---- */

static void release(struct sound *s)
{
    struct playback *p = s->owner;
    struct sound **at = p ? &p->first : NULL;

    while (at && *at != s)
        at = &(*at)->next;
    if (at)
        *at = s->next;
    if (p)
        p->n--;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

/* A helper may still have it: then it goes when that is done. */
static void let_go(struct sound *s)
{
    s->request = NULL;
    if (!s->working)
        release(s);
}

/* What is queued still goes out; less than was promised tells the peer that something is missing. */
static void end(struct sound *s)
{
    http_stream_end(s->request);
    let_go(s);
}

static void tell(const struct sound *s)
{
    log_warn("recording.unreadable", F_ERR(s->rc), F_STR("path", s->path),
             F_FIX(catalogue_fix("recording.", "unreadable")));
}

/* ---- helper threads ---- */

static void open_it(void *arg)
{
    struct sound *s = arg;

    s->fd = recording_open(s->data, s->path, &s->size);
    s->rc = s->fd < 0 ? s->fd : 0;
}

/* Later, when all helpers are busy: on_tick() comes back to it. */
static int have_done(struct sound *s, loop_work_fn *work, loop_work_fn *done)
{
    struct playback *p = s->owner;
    int rc = p->working < HELPERS ? loop_work(p->loop, work, done, s) : 0;

    s->working = rc == 0 && p->working < HELPERS;
    p->working += s->working;
    if (!s->working)
        loop_timer_in(p->tick, TICK_MS);
    return rc;
}

static void is_done(struct sound *s)
{
    s->working = false;
    if (s->owner)
        s->owner->working--;
}

static void read_piece(void *arg)
{
    struct sound *s = arg;
    size_t most = s->left < PIECE ? (size_t)s->left : PIECE;
    ssize_t n;

    do {
        n = pread(s->fd, s->piece, most, (off_t)s->at);
    } while (n < 0 && errno == EINTR);
    s->rc = n < 0 ? -errno : n == 0 ? -EIO : 0;
    s->n_piece = n > 0 ? (size_t)n : 0;
}

/* ---- sending ---- */

static void read_on(struct sound *s);

static void send_piece(struct sound *s)
{
    if (s->rc || http_stream_write(s->request, (struct rd_str){s->piece, s->n_piece})) {
        if (s->rc)
            tell(s);
        end(s);
        return;
    }
    s->at += s->n_piece;
    s->left -= s->n_piece;
    s->moved_ms = now_ms();
    s->queued = http_stream_queued(s->request);
    if (s->left == 0)
        end(s);
    else
        loop_timer_in(s->owner->tick, TICK_MS);
}

static void on_read(void *arg)
{
    struct sound *s = arg;

    is_done(s);
    if (s->owner && s->request)
        send_piece(s);
    else
        release(s);
}

static void read_on(struct sound *s)
{
    if (have_done(s, read_piece, on_read))
        end(s);
}

static void on_open(void *arg);

static void give_up(struct sound *s)
{
    if (s->fd >= 0) {
        end(s);
        return;
    }
    problem_reply(s->request, &unreadable);
    let_go(s);
}

static void look_at(struct sound *s, uint64_t now)
{
    bool open = s->fd >= 0;
    size_t queued = open ? http_stream_queued(s->request) : 0;

    if (queued < s->queued)
        s->moved_ms = now;
    s->queued = queued;
    if (now - s->moved_ms >= STUCK_MS || (!open && have_done(s, open_it, on_open)))
        give_up(s);
    else if (open && queued <= PIECE / 2)
        read_on(s);
}

static void on_tick(void *arg)
{
    struct playback *p = arg;
    uint64_t now = now_ms();
    struct sound *s = p->first;

    while (s) {
        struct sound *next = s->next;

        if (!s->working && s->request)
            look_at(s, now);
        s = next;
    }
    for (s = p->first; s; s = s->next)
        if (!s->working)
            loop_timer_in(p->tick, TICK_MS);
}

/* ---- the beginning ---- */

static struct rd_str range_of(const struct http_request *r)
{
    if (http_header(r, "if-range").p || http_header_count(r, "range") > 1)
        return (struct rd_str){0}; /* we tell nothing that one could be compared with */
    return http_header(r, "range");
}

static void answer(struct sound *s)
{
    struct http_request *r = s->request;
    bool head = rd_str_eq(http_method(r), RD_STR("HEAD"));
    struct http_range range;
    char extra[1024], part[96] = "";
    int status = http_range_read(&range, range_of(r), s->size);

    if (status == 206)
        (void)snprintf(part, sizeof(part),
                       "content-range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", range.first,
                       range.first + range.n - 1, s->size);
    else if (status == 416)
        (void)snprintf(part, sizeof(part), "content-range: bytes */%" PRIu64 "\r\n", s->size);
    (void)snprintf(extra, sizeof(extra),
                   "cache-control: private, no-store\r\naccept-ranges: bytes\r\n"
                   "content-disposition: inline; filename=\"%s\"\r\n%s" ADMIN_FENCE,
                   s->name, part);
    if (status == 416 || head || range.n == 0) {
        http_reply_with(r, status, type, extra,
                        (struct rd_str){"", head && status != 416 ? range.n : 0});
        let_go(s);
        return;
    }
    s->at = range.first;
    s->left = range.n;
    if (http_pieces(r, status, type, extra, range.n, 4 * PIECE)) {
        problem_reply(r, &unreadable);
        let_go(s);
        return;
    }
    read_on(s);
}

static void on_open(void *arg)
{
    struct sound *s = arg;

    is_done(s);
    if (!s->owner || !s->request) {
        release(s);
        return;
    }
    if (s->rc == 0) {
        answer(s);
        return;
    }
    if (s->rc != -ENOENT)
        tell(s);
    problem_reply(s->request, s->rc == -ENOENT ? &not_there : &unreadable);
    let_go(s);
}

/* Letters, digits, dash and dot: it stands in a header. */
static bool is_name(const char *name)
{
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-.") == strlen(name);
}

static bool has_its_share(const struct playback *p, uint64_t holder)
{
    unsigned n = 0;

    for (const struct sound *s = p->first; holder && s; s = s->next)
        n += s->holder == holder;
    return n >= PLAYBACK_OF_ONE;
}

int playback_serve(struct playback *p, struct http_request *r, const struct json_value *file)
{
    struct json_value path = json_get(file, "path"), name = json_get(file, "name"),
                      token = json_get(file, "holder");
    struct sound *s;
    uint64_t holder;
    int rc;

    if (!json_u64(&token, &holder))
        holder = 0;
    if (has_its_share(p, holder))
        return -EDQUOT;
    if (p->n >= PLAYBACK_MAX)
        return RD_EFULL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->fd = -1;
    memcpy(s->data, p->data, sizeof(s->data));
    if (json_copy(&path, s->path, sizeof(s->path)) || json_copy(&name, s->name, sizeof(s->name)) ||
        !is_name(s->name)) {
        free(s);
        return RD_EPROTO;
    }
    s->request = r;
    s->holder = holder;
    s->owner = p;
    s->moved_ms = now_ms();
    rc = have_done(s, open_it, on_open);
    if (rc) {
        free(s);
        return rc;
    }
    s->next = p->first;
    p->first = s;
    p->n++;
    return 0;
}

void playback_gone(struct playback *p, const struct http_request *r)
{
    for (struct sound *s = p->first; s; s = s->next) {
        if (s->request != r)
            continue;
        let_go(s);
        return;
    }
}

/* ---- life ---- */

int playback_new(struct playback **out, struct loop *l, const char *data)
{
    struct playback *p = calloc(1, sizeof(*p));
    int rc;

    if (!p)
        return -ENOMEM;
    p->loop = l;
    if (snprintf(p->data, sizeof(p->data), "%s", data) >= (int)sizeof(p->data)) {
        free(p);
        return RD_ETOOBIG;
    }
    rc = loop_timer_new(&p->tick, l, on_tick, p);
    if (rc)
        free(p);
    else
        *out = p;
    return rc;
}

void playback_free(struct playback *p)
{
    struct sound *s = p ? p->first : NULL;

    if (!p)
        return;
    loop_timer_free(p->tick);
    while (s) {
        struct sound *next = s->next;

        s->owner = NULL; /* a helper that has it frees it */
        s->request = NULL;
        if (!s->working)
            release(s);
        s = next;
    }
    free(p);
}
