/* SPDX-License-Identifier: Apache-2.0 */
/* media_thread.h - one thread of the audio path: a loop, the HTTP and WebSocket connections that
 * were given to it, the calls whose streams it carries, its warm provider connections. No Lua,
 * nothing that blocks. */
#ifndef GATEWAY_MEDIA_THREAD_H
#define GATEWAY_MEDIA_THREAD_H

#include "gateway/node_internal.h"
#include "io/http_server.h"
#include "io/mailbox.h"
#include "providers/live/live.h"
#include "providers/openai/openai.h"
#include "providers/vapi/vapi.h"

#include <pthread.h>
#include <stdatomic.h>

struct opening;
struct line;

/* More connections than this waiting for a busy thread are closed: a flood must not crowd out what
 * calls have to say. */
enum { MEDIA_SOCKETS_WAITING = 1024 };

/* Requests in progress on one thread; see http_server.h for what happens to more. */
enum { MEDIA_REQUESTS = 512 };

struct media_thread {
    struct node *node; /* borrows */
    unsigned index;
    pthread_t thread;
    struct loop *loop;
    struct mailbox *mailbox;
    struct http_server *http;
    struct openai_pool *openai;
    struct vapi_pool *vapi;
    struct live_pool *live;
    struct loop_timer *pulse; /* once a second: gauges */
    struct opening *openings; /* webhooks that wait for a script, offers that wait for a stream */
    struct line *lines;       /* calls with a stream */
    uint64_t next_request;
    bool stopping;
    unsigned refusals; /* in this second */
    unsigned pulses;
    struct http_counts told; /* what the metrics know already */

    /* Read by others. */
    atomic_uint n_lines, warm, lag_worst_us;
    atomic_uint_least64_t pulse_ms; /* monotonic: it came round */
};

int media_thread_new(struct media_thread **out, struct node *n, unsigned index);

/* Runs until MSG_STOP and every line is gone; to be the start routine of a thread. */
void *media_thread_run(void *arg);
void media_thread_free(struct media_thread *t);

/* Counts a refusal; true when it gets its own line in the log. Somebody who knocks a thousand times
 * a second gets ten, and one line for the rest. */
bool media_thread_tells(struct media_thread *t);

#endif
