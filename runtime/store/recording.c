/* SPDX-License-Identifier: Apache-2.0 */
/* recording.c - one call, from its tap to its file.
 *
 * - media thread: the tap copies what it is told into the ring, with the time. `begun_us` and
 *   `over_us` are the only other things both threads touch.
 * - recorder thread: ring ─▶ track ─▶ file. What lies SETTLED_MS back cannot change any more and is
 *   written a second at a time.
 * - the end: the rest, up to the moment the call ended; the header; the name; the fact.
 *
 * Failure modes: in recorder.h. A file that fails ends there; its call knows nothing of it. */
#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "media/base64.h"
#include "observe/alarm.h"
#include "store/recorder_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETTLED_MS = 2000 };

/* --- media thread --- */

static void on_begin(void *arg, uint32_t at_ms)
{
    struct recording *rec = arg;

    (void)at_ms;
    atomic_store_explicit(&rec->begun_us, clock_us(rec->clock), memory_order_release);
}

static void on_caller(void *arg, uint32_t at_ms, const struct audio_span *a)
{
    struct recording *rec = arg;

    ring_sound(&rec->ring, RING_CALLER, clock_us(rec->clock), at_ms, a);
}

static void on_agent(void *arg, const struct audio_span *a)
{
    struct recording *rec = arg;

    ring_sound(&rec->ring, RING_AGENT, clock_us(rec->clock), 0, a);
}

static void on_cleared(void *arg)
{
    struct recording *rec = arg;

    ring_cleared(&rec->ring, clock_us(rec->clock));
}

static void on_pause(void *arg, bool on)
{
    struct recording *rec = arg;

    ring_paused(&rec->ring, clock_us(rec->clock), on);
}

int recording_new(struct recording **out, struct recorder *r, const char *sid,
                  const struct clock *clock, void *owner)
{
    struct recording *rec = calloc(1, sizeof(*rec));

    if (!rec)
        return -ENOMEM;
    rec->recorder = r;
    rec->clock = clock;
    rec->owner = owner;
    rec->fd = -1;
    rec->epoch_us = unix_us();
    rec->born_us = clock_us(clock);
    rec->tap = (struct call_tap){.begin = on_begin,
                                 .caller = on_caller,
                                 .agent = on_agent,
                                 .cleared = on_cleared,
                                 .pause = on_pause,
                                 .arg = rec};
    (void)snprintf(rec->sid, sizeof(rec->sid), "%s", sid);
    track_init(&rec->track);
    recorder_add(r, rec);
    *out = rec;
    return 0;
}

const struct call_tap *recording_tap(struct recording *rec)
{
    return &rec->tap;
}

void recording_end(struct recording *rec, uint64_t over_us)
{
    atomic_store_explicit(&rec->over_us, over_us ? over_us : 1, memory_order_release);
}

/* --- recorder thread: what may be written --- */

static const char *refusal(struct recorder *r)
{
    static const char full_fix[] =
        "move old recordings away or raise recordings.max_mb; nothing is deleted by itself";
    static const char low_fix[] = "free space on the disk of the data folder";

    /* Files are deleted by others: the upkeep, an erasure, a person. */
    if (r->bytes >= r->o.max_bytes)
        r->bytes = recording_bytes(r->data);
    if (r->bytes >= r->o.max_bytes) {
        alarm_raise(ALARM_WARNING, "recording.disk_cap", NULL,
                    "the recordings have reached recordings.max_mb: calls are not recorded",
                    full_fix);
        return "disk_cap";
    }
    if (recording_disk_free(r->data) < r->o.min_free_bytes) {
        alarm_raise(ALARM_WARNING, "recording.disk_low", NULL,
                    "the disk of the data folder is nearly full: calls are not recorded", low_fix);
        return "disk_low";
    }
    alarm_clear("recording.disk_cap", NULL);
    alarm_clear("recording.disk_low", NULL);
    return NULL;
}

static void disk_failed(struct recording *rec, int rc)
{
    char text[160];

    (void)snprintf(text, sizeof(text), "a recording could not be written: %s", rd_strerror(rc));
    alarm_raise(ALARM_WARNING, "recording.disk_error", NULL, text,
                "see that the folder recordings in the data folder belongs to us and its disk is "
                "well");
    rec->why = "disk_error";
}

static void open_file(struct recorder *r, struct recording *rec)
{
    int rc;

    rec->opened = true;
    rec->state = "failed";
    rec->why = refusal(r);
    if (rec->why)
        return;
    rc = recording_path(rec->path, sizeof(rec->path), rec->sid, rec->epoch_us);
    if (!rc)
        rc = recording_create(&rec->fd, r->data, rec->path);
    if (rc) {
        rec->fd = -1;
        rec->path[0] = '\0';
        disk_failed(rec, rc);
        return;
    }
    alarm_clear("recording.disk_error", NULL);
    r->bytes += RECORDING_HEADER;
    rec->state = "kept";
}

static void close_file(struct recorder *r, struct recording *rec)
{
    int rc;

    if (rec->fd < 0)
        return;
    rc = recording_finish(rec->fd, r->data, rec->path, rec->sound_bytes);
    rec->fd = -1;
    if (!rc)
        return;
    disk_failed(rec, rc);
    rec->state = "cut";
}

static bool write_all(int fd, const uint8_t *p, size_t n, int *rc)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            *rc = k < 0 ? -errno : -ENOSPC;
            return false;
        }
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static void write_block(struct recorder *r, struct recording *rec, size_t pairs)
{
    const char *why = refusal(r);
    int rc = 0;

    if (!why && write_all(rec->fd, r->block, 2 * pairs, &rc)) {
        rec->sound_bytes += 2 * pairs;
        r->bytes += 2 * pairs;
        return;
    }
    rec->state = "cut";
    if (why)
        rec->why = why;
    else
        disk_failed(rec, rc);
    close_file(r, rec);
}

/* --- recorder thread: sound --- */

static uint64_t since_born_ms(const struct recording *rec, uint64_t us)
{
    return us > rec->born_us ? (us - rec->born_us) / 1000 : 0;
}

/* What sounded before that moment is not kept. */
static void discard_until(struct recorder *r, struct recording *rec, uint64_t until_ms)
{
    while (track_take(&rec->track, until_ms, r->block, BLOCK_PAIRS) > 0)
        ;
}

/* The agent may be in the middle of its greeting: the track knows what still plays. */
static void open_once(struct recorder *r, struct recording *rec)
{
    uint64_t begun_us = atomic_load_explicit(&rec->begun_us, memory_order_acquire);

    if (rec->opened || !begun_us)
        return;
    discard_until(r, rec, since_born_ms(rec, begun_us));
    open_file(r, rec);
}

static void on_entry(struct recorder *r, struct recording *rec, const struct ring_entry *e)
{
    uint64_t now = since_born_ms(rec, e->now_us);
    ssize_t n;

    rec->heard_ms = now;
    if (rec->opened && rec->fd < 0)
        return; /* it failed: nothing is to pile up */
    track_pause(&rec->track, now, e->paused);
    if (e->cleared)
        track_cleared(&rec->track, now);
    if (e->missing > 0)
        track_agent_lost(&rec->track, now, e->missing);
    n = base64_decode(r->ulaw, r->b64, e->n_b64);
    if (n <= 0)
        return;
    if (e->kind == RING_CALLER)
        track_caller(&rec->track, now, e->at_ms, r->ulaw, (size_t)n);
    else if (e->kind == RING_AGENT)
        track_agent(&rec->track, now, r->ulaw, (size_t)n);
}

static void write_until(struct recorder *r, struct recording *rec, uint64_t until_ms, size_t least)
{
    while (rec->fd >= 0 && rec->track.taken + least <= until_ms * TRACK_SAMPLES_PER_MS) {
        size_t n = track_take(&rec->track, until_ms, r->block, BLOCK_PAIRS);

        if (n == 0)
            return;
        write_block(r, rec, n);
    }
}

void recording_take_in(struct recorder *r, struct recording *rec)
{
    struct ring_entry e;

    open_once(r, rec);
    while (ring_next(&rec->ring, &e, r->b64)) {
        open_once(r, rec); /* its begin may have come after we looked */
        on_entry(r, rec, &e);
    }
    if (rec->heard_ms <= SETTLED_MS)
        return;
    if (rec->opened)
        write_until(r, rec, rec->heard_ms - SETTLED_MS, BLOCK_PAIRS);
    else
        discard_until(r, rec, rec->heard_ms - SETTLED_MS);
}

/* --- recorder thread: the end --- */

static void tell(struct recorder *r, struct recording *rec, uint64_t end_ms)
{
    uint64_t lost = rec->track.lost_samples + atomic_load(&rec->ring.lost_caller);
    struct recording_fact f = {.path = rec->sound_bytes || rec->path[0] ? rec->path : "",
                               .bytes = rec->path[0] ? rec->sound_bytes + RECORDING_HEADER : 0,
                               .duration_ms = (uint32_t)(rec->sound_bytes / RECORDING_BYTES_PER_MS),
                               .paused_ms = track_paused_ms(&rec->track, end_ms),
                               .lost_ms = (uint32_t)(lost / TRACK_SAMPLES_PER_MS),
                               .state = rec->opened ? rec->state : "failed",
                               .why = rec->opened ? rec->why : "before_notice"};

    if (f.lost_ms > 0 && !f.why) {
        f.state = "cut";
        f.why = "overflow";
    }
    f.why = f.why ? f.why : "";
    if (strcmp(f.state, "kept") == 0)
        log_info("recording.kept", F_CALL(rec->sid), F_INT("bytes", f.bytes),
                 F_INT("dur_ms", f.duration_ms), F_INT("paused_ms", f.paused_ms));
    else
        log_warn("recording.not_whole", F_CALL(rec->sid), F_STR("state", f.state),
                 F_STR("reason", f.why), F_INT("dur_ms", f.duration_ms),
                 F_INT("lost_ms", f.lost_ms), F_FIX("docs/records.md says what each reason means"));
    r->o.done(r->o.arg, rec->owner, rec->sid, &f);
}

void recording_finish_all(struct recorder *r, struct recording *rec, uint64_t over_us)
{
    uint64_t end_ms = since_born_ms(rec, over_us);

    recording_take_in(r, rec);
    write_until(r, rec, end_ms, 1);
    close_file(r, rec);
    tell(r, rec, end_ms);
    track_fini(&rec->track);
    free(rec);
}
