/* SPDX-License-Identifier: Apache-2.0 */
/* shown_tables.c - series that are read where they are kept: breakers, the log, the program itself. */
#include "observe/shown.h"

#include "base/log.h"
#include "observe/targets.h"

#include <stdlib.h>

int shown_build(struct buf *out, const struct metric_shown *m)
{
    return shown_line(out, m->name, "version=\"" RD_VERSION "\"", 1, 1);
}

/* Names come from agents' files: they are escaped like everything else. */
static int target_line(struct buf *out, const struct metric_shown *m, const struct target *t,
                       const char *result, uint64_t value)
{
    struct buf labels;
    const char *text;
    int rc;

    buf_init(&labels, SHOWN_LINE);
    rc = shown_label(&labels, "target", t->name);
    if (!rc && result)
        rc = shown_label(&labels, "result", result);
    text = rc ? NULL : buf_text(&labels);
    rc = text ? shown_line(out, m->name, text, value, 1) : -1;
    buf_fini(&labels);
    return rc;
}

static int each_target(struct buf *out, const struct metric_shown *m,
                       int (*fn)(struct buf *out, const struct metric_shown *m,
                                 const struct target *t))
{
    struct target *list = calloc(TARGETS_MAX, sizeof(*list));
    size_t n = list ? targets_list(list, TARGETS_MAX) : 0;
    int rc = list ? 0 : -1;

    for (size_t i = 0; i < n && !rc; i++)
        rc = fn(out, m, &list[i]);
    free(list);
    return rc;
}

static int add_open(struct buf *out, const struct metric_shown *m, const struct target *t)
{
    return target_line(out, m, t, NULL, t->breaker.state != BREAKER_CLOSED);
}

int shown_target_open(struct buf *out, const struct metric_shown *m)
{
    return each_target(out, m, add_open);
}

static int add_requests(struct buf *out, const struct metric_shown *m, const struct target *t)
{
    int rc = target_line(out, m, t, "worked", t->worked);

    if (!rc)
        rc = target_line(out, m, t, "failed", t->failed);
    return rc ? rc : target_line(out, m, t, "refused", t->refused);
}

int shown_target_requests(struct buf *out, const struct metric_shown *m)
{
    return each_target(out, m, add_requests);
}

int shown_log_lines(struct buf *out, const struct metric_shown *m)
{
    static const char *const levels[] = {"level=\"error\"", "level=\"warn\"", "level=\"info\"",
                                         "level=\"debug\""};
    int rc = 0;

    for (int i = LOG_ERROR; i <= LOG_DEBUG && !rc; i++)
        rc = shown_line(out, m->name, levels[i], log_count((enum log_level)i), 1);
    return rc;
}

int shown_log_lost(struct buf *out, const struct metric_shown *m)
{
    return shown_line(out, m->name, "", log_lost(), 1);
}

int shown_labels_refused(struct buf *out, const struct metric_shown *m)
{
    return shown_line(out, m->name, "", metric_labels_refused(), 1);
}
