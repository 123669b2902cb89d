/* SPDX-License-Identifier: Apache-2.0 */
/* load_run.c - one run: start what is under load, play the calls, take its figures, end it. */
#include "base/err.h"
#include "base/json.h"
#include "base/now.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/load_node.h"
#include "io/accepter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct running {
    const struct load_wish *w;
    const char *name;
    struct load_node node;
    struct load_result *out;
    bool relay;
};

static uint64_t number_in(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    uint64_t n = 0;

    (void)json_u64(&v, &n);
    return n;
}

/* The node's own count of how long words waited for the rules. */
static void ask_for_triage(struct running *r)
{
    struct json_value root, list, m, name;
    struct json_iter it;
    struct rd_str key;
    char why[256];
    struct buf body;

    buf_init(&body, CLIENT_BODY_MAX);
    if (client_request(r->node.data, "GET", "/api/v1/status", &body, why, sizeof(why)) == 200 &&
        json_parse((struct rd_str){body.data, body.n}, &root) == 0) {
        list = json_get(&root, "metrics");
        json_iter_init(&it, &list);
        while (json_next(&it, &key, &m)) {
            name = json_get(&m, "name");
            if (!json_is(&name, "triage_us"))
                continue;
            r->out->triage_n = number_in(&m, "count");
            r->out->triage_p50_us = number_in(&m, "p50");
            r->out->triage_p99_us = number_in(&m, "p99");
        }
    }
    buf_fini(&body);
}

static void on_measuring(void *arg)
{
    struct running *r = arg;

    r->out->cpu_s = load_node_cpu_s(&r->node);
}

static void on_measured(void *arg)
{
    struct running *r = arg;

    r->out->cpu_s = load_node_cpu_s(&r->node) - r->out->cpu_s;
    r->out->rss_mb = load_node_rss_mb(&r->node);
}

static void keep_sample(struct running *r, const struct load_report *so_far)
{
    struct load_result *out = r->out;

    if (out->n_samples < LOAD_SAMPLES)
        out->samples[out->n_samples++] =
            (struct load_sample){.up = so_far->now_up,
                                 .cpu_s = load_node_cpu_s(&r->node),
                                 .own_cpu_s = (double)now_of(CLOCK_PROCESS_CPUTIME_ID) / 1e6,
                                 .lag_ms = so_far->lag_now.max_us / 1000.0};
}

static void on_second(const struct load_report *so_far, void *arg)
{
    struct running *r = arg;

    keep_sample(r, so_far);
    fprintf(stderr,
            "%s%u of %u calls up, %u failed, %" PRIu64 " frames, %u barge-ins, lag %.2f ms\n",
            r->name, so_far->now_up, r->w->run.calls, so_far->failed, so_far->frames_sent,
            so_far->barge_ins, load_quantile_us(&so_far->lag_now, 0.99) / 1000.0);
}

static int start(struct running *r, uint16_t model_port)
{
    struct load_node_opts o = {.agents = r->w->agents,
                               .model_port = model_port,
                               .max_calls = r->w->run.n_beyond ? r->w->run.calls
                                                               : r->w->run.calls + LOAD_UNRULY_MAX,
                               .cores = r->w->cores,
                               .model_tls = r->w->model_tls && !r->relay,
                               .carrier_tls = r->w->run.carrier_tls && !r->relay,
                               .pinned = r->w->pinned};
    int rc = r->relay ? load_relay_start(&r->node, &o) : load_node_start(&r->node, &o);

    if (rc)
        fprintf(stderr, "the %s did not start (%s); its own words stand above\n",
                r->relay ? "relay" : "node", rd_strerror(rc));
    return rc;
}

int load_once(const struct load_wish *w, bool relay, const char *name, struct load_result *out)
{
    struct running r = {.w = w, .name = name, .node = {.pid = -1}, .out = out, .relay = relay};
    struct load_events events = {
        .measuring = on_measuring, .measured = on_measured, .second = on_second, .arg = &r};
    struct load_opts o = w->run;
    char why[256] = "";
    int fd, rc = listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why));

    *out = (struct load_result){0};
    if (rc) {
        fprintf(stderr, "%s\n", why);
        return EXIT_FAILED;
    }
    rc = start(&r, listen_port(fd));
    if (!rc) {
        out->rss_idle_mb = load_node_rss_mb(&r.node);
        o.node_url = r.node.url;
        o.relay = relay ? (uint16_t)atoi(strchr(r.node.listen, ':') + 1) : 0;
        o.unruly = w->unruly;
        o.carrier_tls = w->run.carrier_tls && !relay;
        if (w->model_tls && !relay) {
            o.model_cert = r.node.cert;
            o.model_key = r.node.key;
        }
        if (relay)
            o.n_unruly = o.n_beyond = 0;
        rc = load_run(&o, fd, &events, &out->report);
        if (rc)
            fprintf(stderr, "the run could not begin (%s)\n", rd_strerror(rc));
    } else {
        (void)close(fd);
    }
    if (!rc && w->run.work && !relay)
        ask_for_triage(&r);
    load_node_stop(&r.node);
    return rc ? EXIT_FAILED : EXIT_OK;
}
