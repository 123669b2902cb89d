/* SPDX-License-Identifier: Apache-2.0 */
/* node_log.c - an order about the log is carried out at once, and is a fact: debug lines show what callers
 * say, so it is kept who wanted to see them. */
#include "gateway/node_log.h"

#include "base/err.h"
#include "base/json_out.h"
#include "gateway/node_internal.h"

#include <stdio.h>

enum { SUBJECT_MAX = 128 };

static void keep_audit(struct node *n, const struct node_log_order *o)
{
    char subject[SUBJECT_MAX];

    if (o->call)
        (void)snprintf(subject, sizeof(subject), "debug of %.64s for %llu s", o->call,
                       (unsigned long long)o->seconds);
    else if (o->seconds > 0)
        (void)snprintf(subject, sizeof(subject), "%s for %llu s", log_level_name(o->level),
                       (unsigned long long)o->seconds);
    else
        (void)snprintf(subject, sizeof(subject), "as configured");
    log_info("log.changed", F_STR("to", subject), F_STR("who", o->who));
    if (n)
        keep_node(
            n->keep, "audit",
            JSON_MEMBERS(J_STR("who", o->who), J_STR("what", "log"), J_STR("subject", subject)));
}

int node_log(struct node *n, const struct node_log_order *o)
{
    uint64_t ms = o->seconds * 1000;
    int rc = 0;

    if (o->seconds > (o->call ? NODE_LOG_CALL_S_MAX : NODE_LOG_LEVEL_S_MAX))
        return RD_ETOOBIG;
    if (o->call)
        rc = log_watch(o->call, ms);
    else
        log_level_for(o->level, ms);
    if (!rc)
        keep_audit(n, o);
    return rc;
}

int node_log_json(struct buf *out)
{
    struct log_state s;
    int rc;

    log_state(&s);
    rc = buf_addf(out, "{\"configured\":\"%s\",\"level\":\"%s\",\"left_s\":%llu,\"calls\":[",
                  log_level_name(s.configured), log_level_name(s.now),
                  (unsigned long long)(s.now_left_ms + 999) / 1000);
    for (size_t i = 0; i < s.n_watches && !rc; i++) {
        rc = i > 0 ? buf_add_str(out, ",") : 0;
        if (!rc)
            rc = json_add_object(out,
                                 JSON_MEMBERS(J_STR("call", s.watches[i].call),
                                              J_INT("left_s", (s.watches[i].left_ms + 999) / 1000),
                                              J_INT("lines", s.watches[i].lines),
                                              J_INT("dropped", s.watches[i].dropped)));
    }
    return rc ? rc : buf_add_str(out, "]}");
}
