/* SPDX-License-Identifier: Apache-2.0 */
/* probes.c - short answers for load balancers, supervisors and people.
 *
 *   /livez    503 when threads do not come round: restarting would help. Nobody else is asked
 *   /readyz   503 while it starts, drains, or has agents none of which loads. A full node, or one without
 *             its database, still answers webhooks and is ready
 *   /health   components; 503 when one of them fails
 *   /metrics  all numbers, for Prometheus: written while it waits; media threads are asked for nothing */
#include "control/probes.h"

#include "base/err.h"
#include "control/health.h"
#include "control/problem.h"
#include "observe/prometheus.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 512, HEALTH_MAX = 64 << 10 };

/* When it is worth looking again. */
static const char *headers(bool good)
{
    return good ? ADMIN_HEADERS : ADMIN_HEADERS "retry-after: 5\r\n";
}

static void say(struct http_request *r, bool good, const char *text)
{
    http_reply_with(r, good ? 200 : 503, "text/plain; charset=utf-8", headers(good), rd_str(text));
}

static void serve_livez(struct http_request *r, struct node *n)
{
    bool alive = !n || node_is_alive(n);

    say(r, alive, alive ? "ok\n" : "a thread does not come round\n");
}

static bool is_verbose(const struct http_request *r)
{
    struct rd_str target = http_target(r), path = http_path(r), query;

    query = (struct rd_str){target.p + path.n, target.n - path.n};
    return rd_str_eq(query, RD_STR("?verbose")) || rd_str_eq(query, RD_STR("?verbose=1"));
}

static void serve_readyz(struct http_request *r, struct node *n)
{
    struct node_readiness now = {.draining = false, .configured = true};
    char text[TEXT_MAX];
    bool ready;

    if (n)
        node_readiness(n, &now);
    ready = n && !now.draining && now.configured;
    if (is_verbose(r))
        (void)snprintf(text, sizeof(text),
                       "[%c] started\n[%c] accepts calls\n[%c] agents load\n%s\n", n ? '+' : '-',
                       now.draining ? '-' : '+', now.configured ? '+' : '-',
                       ready ? "ready" : "not ready");
    else
        (void)snprintf(text, sizeof(text), "%s\n",
                       !n             ? "starting"
                       : now.draining ? "draining"
                       : !ready       ? "no agent loads"
                                      : "ok");
    say(r, ready, text);
}

static void serve_health(struct http_request *r, struct node *n)
{
    static const char failing[] = "{\"status\":\"fail\"";
    struct buf text;

    buf_init(&text, HEALTH_MAX);
    if (health_json(n, &text) != 0) {
        buf_clear(&text);
        say(r, false, "no memory\n");
    } else {
        bool good =
            text.n < sizeof(failing) || memcmp(text.data, failing, sizeof(failing) - 1) != 0;

        http_reply_with(r, good ? 200 : 503, HEALTH_TYPE, headers(good),
                        (struct rd_str){text.data, text.n});
    }
    buf_fini(&text);
}

/* No memory: the next scrape tries again. One that is cut would look like series that ended. */
static void serve_metrics(struct http_request *r, struct node *n)
{
    struct buf text;

    (void)n;
    buf_init(&text, PROMETHEUS_MAX);
    if (metrics_to_prometheus(&text) != 0)
        say(r, false, "no memory\n");
    else
        http_reply_with(r, 200, prometheus_content_type, ADMIN_HEADERS,
                        (struct rd_str){text.data, text.n});
    buf_fini(&text);
}

static const struct {
    const char *path;
    void (*serve)(struct http_request *r, struct node *n);
} probes[] = {
    {"/livez", serve_livez},
    {"/readyz", serve_readyz},
    {"/health", serve_health},
    {"/metrics", serve_metrics},
};

static const struct problem only_get = {405,
                                        "method",
                                        "This method is not known here",
                                        "it is looked at, not changed",
                                        "use GET",
                                        "allow: GET, HEAD\r\n"};

bool probes_serve(struct http_request *r, struct node *n)
{
    struct rd_str path = http_path(r), method = http_method(r);

    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (!rd_str_eq(path, rd_str(probes[i].path)))
            continue;
        if (!rd_str_eq(method, RD_STR("GET")) && !rd_str_eq(method, RD_STR("HEAD")))
            problem_reply(r, &only_get);
        else
            probes[i].serve(r, n);
        return true;
    }
    return false;
}
