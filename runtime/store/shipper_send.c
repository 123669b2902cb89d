/* SPDX-License-Identifier: Apache-2.0 */
/* shipper_send.c - one batch: rows become one JSON array for ingest(), which answers for each of
 * them what became of it.
 *
 *   kept, duplicate   it is in the database
 *   conflict          the same key is there with other content: a dead letter
 *
 * The database refuses data as a whole. Then the batch is halved until the one event is alone that
 * it does not want: that one is buried with the database's words, the others are kept, in order.
 * What is no event at all (a file may have been damaged without anybody noticing) is buried before it
 * can spoil the batch. Whoever fails in between leaves the batch to be sent again: duplicates. */
#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "store/shipper_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 640 };

/* Why a row is no event; NULL when it is one. */
static const char *wrong(const struct journal_row *r)
{
    const struct journal_event *e = &r->event;
    struct json_value v;

    if (e->stream.n == 0 || e->stream.n >= JOURNAL_STREAM || !*e->type || e->seq == 0 ||
        e->started_us > INT64_MAX || e->epoch > INT64_MAX || e->at_us > INT64_MAX)
        return "its key is damaged";
    if (e->body.n > JOURNAL_BODY_MAX || json_parse(e->body, &v) != 0 || v.type != JSON_OBJECT)
        return "its body is no JSON object of at most 64 KiB";
    for (size_t i = 0, n; i < e->body.n; i += n) {
        n = rd_utf8_sequence(e->body.p + i, e->body.n - i);
        if (n == 0)
            return "its body is not UTF-8";
    }
    return NULL;
}

static int bury_wrong(struct shipper *s, struct source *from, struct journal_row **rows, size_t *n)
{
    size_t kept = 0;
    int rc = 0;

    for (size_t i = 0; i < *n; i++) {
        const char *why = wrong(rows[i]);

        if (why && !rc)
            rc = source_bury(s, from, rows[i], why);
        if (why)
            free(rows[i]);
        else
            rows[kept++] = rows[i];
    }
    *n = kept;
    return rc;
}

static int add_event(struct buf *out, const struct journal_event *e)
{
    int rc = out->n > 1 ? buf_add_str(out, ",") : 0;

    return rc ? rc
              : json_add_object(out, JSON_MEMBERS(J_TEXT("stream", e->stream),
                                                  J_INT("started_us", e->started_us),
                                                  J_INT("epoch", e->epoch), J_INT("seq", e->seq),
                                                  J_INT("at_us", e->at_us), J_STR("type", e->type),
                                                  J_RAW("body", e->body)));
}

static const char *payload(struct shipper *s, struct journal_row **rows, size_t n)
{
    int rc;

    buf_clear(&s->payload);
    rc = buf_add_str(&s->payload, "[");
    for (size_t i = 0; i < n && !rc; i++)
        rc = add_event(&s->payload, &rows[i]->event);
    if (!rc)
        rc = buf_add_str(&s->payload, "]");
    return rc ? NULL : buf_text(&s->payload);
}

static int outcome(struct shipper *s, struct source *from, const struct journal_row *row,
                   const char *what, const char *why)
{
    char reason[REASON_MAX];

    if (what && (strcmp(what, "kept") == 0 || strcmp(what, "duplicate") == 0))
        return 0;
    (void)snprintf(reason, sizeof(reason), "%s: %s", what ? what : "no outcome", why ? why : "");
    return source_bury(s, from, row, reason);
}

/* Nothing is taken for kept that the database did not name. */
static int outcomes(struct shipper *s, struct source *from, struct journal_row **rows, size_t n)
{
    bool named[BATCH_MAX] = {false};
    size_t n_named = 0;
    int rc = 0;

    for (int i = 0; i < pg_rows(s->pg); i++) {
        const char *text = pg_text(s->pg, i, 0);
        unsigned long at = text ? strtoul(text, NULL, 10) : 0;

        if (at < 1 || at > n || named[at - 1])
            return shipper_trouble(s, TROUBLE_SETUP,
                                   "ingest() answered for an event that was not "
                                   "sent");
        named[at - 1] = true;
        n_named++;
    }
    if (n_named != n)
        return shipper_trouble(s, TROUBLE_SETUP, "ingest() answered for %zu of %zu events", n_named,
                               n);
    for (int i = 0; i < (int)n && !rc; i++) {
        unsigned long at = strtoul(pg_text(s->pg, i, 0), NULL, 10);

        rc = outcome(s, from, rows[at - 1], pg_text(s->pg, i, 1), pg_text(s->pg, i, 2));
    }
    return rc;
}

static int send_some(struct shipper *s, struct source *from, struct journal_row **rows, size_t n)
{
    const char *params[1] = {payload(s, rows, n)};
    char reason[REASON_MAX];
    int rc;

    if (!params[0])
        return shipper_trouble(s, TROUBLE_DISK, "no memory for %zu events", n);
    rc = pg_query(s->pg, "SELECT ordinal, outcome, reason FROM ingest($1::jsonb)", 1, params);
    if (rc == 0)
        return outcomes(s, from, rows, n);
    if (rc != RD_EREFUSED || !shipper_data_error(pg_sqlstate(s->pg)))
        return shipper_refused(s, rc, n);
    if (n == 1) {
        (void)snprintf(reason, sizeof(reason), "%s: %s", pg_sqlstate(s->pg), pg_message(s->pg));
        return source_bury(s, from, rows[0], reason);
    }
    rc = send_some(s, from, rows, n / 2); /* at most eight deep */
    return rc ? rc : send_some(s, from, rows + n / 2, n - n / 2);
}

int shipper_send(struct shipper *s, struct source *from, struct journal_row **rows, size_t n)
{
    size_t n_good = n;
    int rc = bury_wrong(s, from, rows, &n_good);

    if (!rc && n_good > 0)
        rc = send_some(s, from, rows, n_good);
    journal_rows_free(rows, n_good);
    return rc;
}
