/* SPDX-License-Identifier: Apache-2.0 */
/* tape.c - between a call, which knows only a tap, and the recorder, which knows only sound. The
 * call's entry in the directory travels with its recording, because the file is closed after the
 * call is gone. */
#include "gateway/tape.h"

#include "base/log.h"
#include "gateway/record_json.h"

#include <stdlib.h>

enum { RECORD_MAX = 8192 };

struct tape_owner {
    struct directory_view call;
    uint64_t started_ms;
};

/* Recorder thread. */
static void on_done(void *arg, void *owner, const char *sid, const struct recording_fact *fact)
{
    struct node *n = arg;
    struct tape_owner *o = owner;
    struct directory_view unknown = {0};
    struct record r = {.type = RECORD_RECORDING, .recording = fact};
    struct message *m = NULL;
    struct buf json;

    (void)rd_str_copy(unknown.sid, sizeof(unknown.sid), rd_str(sid));
    if (o)
        r.at_ms = clock_ms(loop_clock()) - o->started_ms;
    buf_init(&json, RECORD_MAX);
    if (record_json(&json, o ? &o->call : &unknown, &r) == 0)
        m = message_new(MSG_RECORD, o ? o->call.call : 0, &(struct rd_str){json.data, json.n}, 1);
    buf_fini(&json);
    free(o);
    if (!m)
        return;
    m->kind = RECORD_RECORDING;
    (void)mailbox_post(n->control, m);
}

int tape_start(struct node *n)
{
    struct recorder_opts o = {.data = n->settings->data,
                              .max_bytes = (uint64_t)n->settings->recordings_max_mb << 20,
                              .done = on_done,
                              .arg = n};

    return recorder_start(&n->recorder, &o);
}

struct recording *tape_new(struct node *n, const struct directory_view *call)
{
    struct tape_owner *o = calloc(1, sizeof(*o));
    struct recording *rec = NULL;

    if (o) {
        o->call = *call;
        o->started_ms = clock_ms(loop_clock());
    }
    if (o && recording_new(&rec, n->recorder, call->sid, loop_clock(), o) == 0)
        return rec;
    free(o);
    log_error("recording.no_memory", F_CALL(call->sid),
              F_FIX("this call is not recorded; give the machine more memory or lower max_calls"));
    return NULL;
}
