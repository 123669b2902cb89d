/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_crash.c - a crash as Sentry's JSON: fatal, its frames with their functions where those are known, and
 * the program's build id, by which Sentry finds uploaded symbols.
 *
 * Of files only their names leave, not their folders. */
#include "observe/crash_report.h"
#include "observe/sentry.h"
#include "observe/sentry_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int add_head(struct buf *out, const struct crash_report *r, const struct sentry_about *a)
{
    int rc = buf_addf(out, "{\"event_id\":\"%s\",", a->id);

    if (!rc)
        rc = sentry_add_time(out, r->unix_s * 1000);
    if (!rc)
        rc = buf_add_str(out, ",\"platform\":\"native\",\"level\":\"fatal\",\"logger\":\"crash\"");
    if (!rc)
        rc = sentry_add_member(out, "server_name", *r->node ? r->node : a->node, SENTRY_TAG_MAX,
                               false);
    if (!rc)
        rc = sentry_add_member(out, "release", *r->release ? r->release : a->release,
                               SENTRY_TAG_MAX, false);
    return rc ? rc : sentry_add_member(out, "environment", a->environment, SENTRY_TAG_MAX, false);
}

static int add_frame(struct buf *out, const struct crash_frame *f, bool first)
{
    char name[160];
    int rc = buf_addf(out, "%s{\"instruction_addr\":\"0x%" PRIx64 "\",\"in_app\":%s,\"filename\":",
                      first ? "" : ",", f->address, strstr(f->module, ".so") ? "false" : "true");

    crash_frame_name(f, name, sizeof(name));
    if (!rc)
        rc = sentry_add_string(out, f->module, SENTRY_TAG_MAX, false);
    if (!rc)
        rc = sentry_add_member(out, "package", f->module, SENTRY_TAG_MAX, false);
    if (!rc)
        rc = sentry_add_member(out, "function", name, SENTRY_TAG_MAX, false);
    return rc ? rc : buf_addf(out, ",\"image_addr\":\"0x%" PRIx64 "\"}", f->address - f->offset);
}

static int add_exception(struct buf *out, const struct crash_report *r)
{
    const char *name = crash_signal_name(r->signal);
    int rc = buf_addf(out, ",\"exception\":{\"values\":[{\"type\":\"%s\",\"value\":", name);
    char text[160];

    (void)snprintf(text, sizeof(text),
                   r->sent ? "%s was sent to the process; it ran %s"
                           : "%s in thread %s at 0x%" PRIx64,
                   name, r->thread, r->address);
    if (!rc)
        rc = sentry_add_string(out, text, sizeof(text), false);
    if (!rc)
        rc = buf_addf(out,
                      ",\"mechanism\":{\"type\":\"signalhandler\",\"handled\":false,"
                      "\"synthetic\":true,\"meta\":{\"signal\":{\"number\":%d,\"name\":\"%s\"}}},"
                      "\"stacktrace\":{\"frames\":[",
                      r->signal, name);
    for (size_t i = r->n_frames; i > 0 && !rc; i--) /* the oldest first */
        rc = add_frame(out, &r->frames[i - 1], i == r->n_frames);
    return rc ? rc : buf_add_str(out, "]}}]}");
}

/* The files of the frames, each once. */
static int add_images(struct buf *out, const struct crash_report *r)
{
    int rc = buf_add_str(out, ",\"debug_meta\":{\"images\":[");
    bool any = false;

    for (size_t i = 0; i < r->n_frames && !rc; i++) {
        const struct crash_frame *f = &r->frames[i];
        bool known = !*f->build;

        for (size_t k = 0; k < i && !known; k++)
            known = strcmp(r->frames[k].build, f->build) == 0;
        if (known)
            continue;
        rc = buf_addf(out,
                      "%s{\"type\":\"elf\",\"code_id\":\"%s\",\"image_addr\":\"0x%" PRIx64
                      "\",\"code_file\":",
                      any ? "," : "", f->build, f->address - f->offset);
        if (!rc)
            rc = sentry_add_string(out, f->module, SENTRY_TAG_MAX, false);
        if (!rc)
            rc = buf_add_str(out, "}");
        any = true;
    }
    return rc ? rc : buf_add_str(out, "]}");
}

static int add_tags(struct buf *out, const struct crash_report *r)
{
    int rc = buf_addf(out, ",\"tags\":{\"signal\":\"%s\",\"whole\":\"%s\"",
                      crash_signal_name(r->signal), r->whole ? "yes" : "no");

    if (!rc)
        rc = sentry_add_member(out, "node", r->node, SENTRY_TAG_MAX, false);
    if (!rc)
        rc = sentry_add_member(out, "thread", r->thread, SENTRY_TAG_MAX, false);
    return rc ? rc : buf_add_str(out, "}");
}

int sentry_crash(struct buf *out, const struct crash_report *r, const struct sentry_about *a)
{
    int rc = add_head(out, r, a);

    if (!rc)
        rc = add_exception(out, r);
    if (!rc)
        rc = add_images(out, r);
    if (!rc)
        rc = add_tags(out, r);
    return rc ? rc : buf_add_str(out, ",\"contexts\":{\"os\":{\"name\":\"Linux\"}}}");
}
