/* SPDX-License-Identifier: Apache-2.0 */
/* tape.c - between a call, which knows only a tap, and the recorder, which knows only sound. The
 * call's entry in the directory travels with its recording, because the file is closed after the
 * call is gone. */
#include "gateway/tape.h"

#include "base/log.h"
#include "gateway/keep.h"
#include "gateway/record_json.h"

#include <stdlib.h>

enum { RECORD_MAX = 8192 };

struct tape_owner {
    struct directory_view call;
    uint64_t started_ms;
};

/* "…/CA…-1795348800123456.wav": when it was begun is all that is left of when the call was. */
static uint64_t begun_us(const char *path)
{
    const char *dash = strrchr(path, '-');

    return dash ? strtoull(dash + 1, NULL, 10) : 0;
}

static void keep_fact(struct node *n, const struct tape_owner *o, const char *sid,
                      const struct recording_fact *fact, struct rd_str body)
{
    uint64_t started_us = begun_us(fact->path);

    if (o)
        keep_record(n->keep, &o->call, record_type_name(RECORD_RECORDING), body);
    else if (started_us)
        keep_late(n->keep, rd_str(sid), started_us, record_type_name(RECORD_RECORDING), body);
}

static void tell_control(struct node *n, call_handle call, struct rd_str body)
{
    struct message *m = message_new(MSG_RECORD, call, &body, 1);

    if (!m)
        return;
    m->kind = RECORD_RECORDING;
    (void)mailbox_post(n->control, m);
}

/* Recorder thread. */
static void on_done(void *arg, void *owner, const char *sid, const struct recording_fact *fact)
{
    struct node *n = arg;
    struct tape_owner *o = owner;
    struct directory_view unknown = {0};
    struct recording_fact whole = *fact;
    struct record r = {.type = RECORD_RECORDING, .recording = &whole};
    struct buf json;

    whole.node = n->name;
    (void)rd_str_copy(unknown.sid, sizeof(unknown.sid), rd_str(sid));
    if (o)
        r.at_ms = clock_ms(loop_clock()) - o->started_ms;
    buf_init(&json, RECORD_MAX);
    if (record_json(&json, o ? &o->call : &unknown, &r) == 0) {
        struct rd_str body = {json.data, json.n};

        keep_fact(n, o, sid, fact, body);
        tell_control(n, o ? o->call.call : 0, body);
    }
    buf_fini(&json);
    free(o);
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
