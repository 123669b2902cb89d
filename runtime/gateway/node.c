/* SPDX-License-Identifier: Apache-2.0 */
/* node.c - starts and ends everything that one `ringdown serve` consists of.
 *
 * Start: trust and certificate, agents, listening socket, script threads, media threads, and last
 * the accepter, so that the first webhook finds all of it. Stop in the opposite order. What happens
 * in between: node_doors.c (who comes in), node_scripts.c (what scripts may ask), node_orders.c (what
 * is wanted of it) and node_status.c (how it is).
 *
 * Failure modes: each step that fails says what to do in `why` and undoes the steps before it. */
#include "gateway/node_internal.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/adopt.h"
#include "gateway/books.h"
#include "gateway/budget.h"
#include "gateway/flood.h"
#include "gateway/media_thread.h"
#include "gateway/meters_kept.h"
#include "gateway/node_doors.h"
#include "gateway/node_metrics.h"
#include "gateway/node_orders.h"
#include "gateway/node_scripts.h"
#include "gateway/numbers.h"
#include "gateway/peers.h"
#include "gateway/releases.h"
#include "gateway/reload.h"
#include "gateway/resume.h"
#include "gateway/ringing.h"
#include "gateway/routing.h"
#include "gateway/sweep.h"
#include "gateway/tape.h"
#include "gateway/texts.h"
#include "gateway/timetable.h"
#include "gateway/triage.h"
#include "gateway/vapi/hooks.h"
#include "observe/metrics.h"
#include "observe/prometheus.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Those that are no call and no request: admin listener, console, database, journal, what scripts ask. */
enum { FILES_BESIDES = 2048 };
enum { REQUESTS_MIN = 16 }; /* however few files there may be */

/* --- addresses --- */

static char *join(const char *scheme, const char *rest, const char *path)
{
    char *out;

    return asprintf(&out, "%s%s%s", scheme, rest, path) < 0 ? NULL : out;
}

/* https://host → wss://host/twilio/media/ */
static int make_urls(struct node *n)
{
    const char *url = n->settings->public_url;
    bool tls = strncmp(url, "https://", 8) == 0;
    size_t len = strlen(url);
    char *host = strndup(url + (tls ? 8 : 7), len);

    if (host && host[0] && host[strlen(host) - 1] == '/')
        host[strlen(host) - 1] = '\0';
    n->stream_base = host ? join(tls ? "wss://" : "ws://", host, "/twilio/media/") : NULL;
    n->resume_url = host ? join(tls ? "https://" : "http://", host, "/twilio/resume") : NULL;
    free(host);
    return n->stream_base && n->resume_url ? 0 : -ENOMEM;
}

/* --- start --- */

/* Of `have` files, what calls and the rest leave: a quarter of a thread's share is for requests at once
 * (as many more are told that there is no room), half for connections that wait to be looked at. */
static unsigned requests_within(const struct settings *s, rlim_t have)
{
    rlim_t besides = FILES_BESIDES < have / 4 ? FILES_BESIDES : have / 4;
    rlim_t kept = besides + 2 * (rlim_t)s->max_calls;
    rlim_t each = have > kept ? (have - kept) / (rlim_t)s->media_threads / 4 : 0;

    if (each > MEDIA_REQUESTS)
        each = MEDIA_REQUESTS;
    return each > REQUESTS_MIN ? (unsigned)each : REQUESTS_MIN;
}

/* A call has two sockets. Without room for all of them, a flood of requests would leave none for
 * the provider: where files are few, it gets less. */
static void share_files(struct node *n)
{
    const struct settings *s = n->settings;
    rlim_t want =
        FILES_BESIDES + 2 * (rlim_t)s->max_calls + 4 * MEDIA_REQUESTS * (rlim_t)s->media_threads;
    struct rlimit l;

    n->max_requests = MEDIA_REQUESTS;
    if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= want)
        return;
    l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= want)
        return;
    (void)getrlimit(RLIMIT_NOFILE, &l);
    n->max_requests = requests_within(s, l.rlim_cur);
    log_warn("node.few_files", F_INT("have", l.rlim_cur), F_INT("want", want),
             F_INT("requests", n->max_requests),
             F_FIX("raise the limit of open files (LimitNOFILE=, ulimit -Hn)"));
}

static int start_tls(struct node *n, char *why, size_t cap)
{
    const struct settings *s = n->settings;
    int rc = tls_client_new(&n->tls_client, s->ca_file, why, cap);

    if (!rc && s->certificate[0])
        rc = tls_server_new(&n->tls_server, s->certificate, s->private_key, why, cap);
    return rc;
}

/* No new calls while the disk does not take what there is to keep. */
static bool admits(void *arg, const char **reason, const char **fix)
{
    struct node *n = arg;

    if (keep_accepts(n->keep))
        return true;
    metric_add(M_REFUSED_JOURNAL, 1);
    *reason = "journal_full";
    *fix = "the disk of the data folder is full or does not answer: free some space";
    return false;
}

/* The database may have been found wanting before there was anybody to keep it. */
static void keep_early_alarms(struct node *n)
{
    struct alarm *open = calloc(ALARMS_MAX, sizeof(*open));
    size_t n_open = open ? alarm_list(open, ALARMS_MAX) : 0;

    for (size_t i = 0; i < n_open; i++)
        keep_alarm(n->keep, &open[i]);
    free(open);
}

static int start_keeping(struct node *n)
{
    struct keep_opts k = {.journal = n->journal, .directory = n->directory, .node = n->name};
    int rc = keep_new(&n->keep, &k);

    if (rc)
        return rc;
    n->gate = (struct voice_gate){.admits = admits, .arg = n};
    keep_node(n->keep, "node_started",
              JSON_MEMBERS(J_STR("version", RD_VERSION), J_STR("url", n->settings->public_url),
                           J_INT("pid", getpid())));
    alarm_sink(keep_alarm, n->keep);
    keep_early_alarms(n);
    return 0;
}

static int start_numbers(struct node *n, char *why, size_t cap)
{
    struct numbers_opts o = {.data = n->settings->data, .secret = n->settings->cluster_secret};
    int rc = 0;

    if (n->books) {
        o.asker = books_asker(n->books);
        rc = numbers_start(&n->numbers, &o);
    }
    if (rc)
        (void)snprintf(why, cap, "what numbers are assigned to cannot be followed: %s",
                       rd_strerror(rc));
    return rc;
}

static struct agent_set *agents_in_use(void *arg)
{
    return script_pool_agents(((struct node *)arg)->scripts);
}

static int start_routing(struct node *n, char *why, size_t cap)
{
    struct routing_opts o = {.asker = n->books ? books_asker(n->books) : NULL,
                             .data = n->settings->data,
                             .secret = n->settings->cluster_secret,
                             .force = n->settings->force,
                             .agents = agents_in_use,
                             .arg = n};
    int rc = routing_start(&n->routing, &o);

    if (rc)
        (void)snprintf(why, cap, "rollouts cannot be followed: %s", rd_strerror(rc));
    return rc;
}

static int start_budget(struct node *n, char *why, size_t cap)
{
    struct budget_opts o = {.data = n->settings->data,
                            .secret = n->settings->cluster_secret,
                            .spent = node_spent,
                            .arg = n};
    int rc = 0;

    if (n->books) {
        o.asker = books_asker(n->books);
        rc = budget_start(&n->budget, &o);
    }
    if (rc)
        (void)snprintf(why, cap, "budgets cannot be followed: %s", rd_strerror(rc));
    return rc;
}

static int start_recorder(struct node *n, char *why, size_t cap)
{
    int rc = tape_start(n);

    if (rc)
        (void)snprintf(why, cap, "the recorder did not start: %s", rd_strerror(rc));
    return rc;
}

static int start_one_media(struct node *n, unsigned i)
{
    struct media_thread *t;
    int rc = media_thread_new(&t, n, i);

    if (rc)
        return rc;
    rc = -pthread_create(&t->thread, NULL, media_thread_run, t);
    if (rc) {
        media_thread_free(t);
        return rc;
    }
    n->media[n->n_media++] = t;
    return 0;
}

static int start_media(struct node *n, char *why, size_t cap)
{
    unsigned wanted = (unsigned)n->settings->media_threads;
    int rc = 0;

    n->media = calloc(wanted, sizeof(*n->media));
    if (!n->media)
        return -ENOMEM;
    for (unsigned i = 0; !rc && i < wanted; i++)
        rc = start_one_media(n, i);
    if (rc)
        (void)snprintf(why, cap, "a media thread did not start: %s", rd_strerror(rc));
    return rc;
}

static void fill(struct node *n, const struct node_opts *o)
{
    n->settings = o->settings;
    n->control = o->control;
    n->name = o->settings->node_name;
    n->books = o->books;
    n->journal = o->books ? books_journal(o->books) : NULL;
    n->started_ms = clock_ms(loop_clock());
    n->listen_fd = o->listen_fd;
    n->auth = (struct twilio_auth){.public_url = o->settings->public_url,
                                   .tokens = (const char *const *)o->settings->twilio_tokens};
    pthread_mutex_init(&n->doors, NULL);
}

/* What threads will share; none of them runs yet. */
static int make_parts(struct node *n, const struct node_ringer *ringer)
{
    int rc = random_bytes(&n->id, sizeof(n->id));

    if (!rc)
        rc = make_urls(n);
    if (!rc)
        rc = directory_new(&n->directory, (unsigned)n->settings->max_calls,
                           (unsigned)n->settings->max_calls_per_caller);
    if (!rc)
        rc = start_keeping(n);
    if (!rc)
        rc = flood_new(&n->flood, (unsigned)n->settings->caller_flood);
    if (!rc)
        rc = texts_new(&n->texts);
    if (!rc)
        rc = meters_kept_new(&n->meters, n);
    if (!rc)
        rc = timetable_new(&n->timetable, n, loop_clock());
    if (!rc)
        rc = ringing_new(&n->ringing, ringer);
    if (!rc)
        rc = vapi_hooks_new(&n->vapi);
    if (!rc)
        rc = peers_new(&n->peers, n);
    return rc;
}

static int start_threads(struct node *n, char *why, size_t cap)
{
    int rc = start_tls(n, why, cap);

    if (!rc)
        rc = node_start_scripts(n, why, cap);
    if (!rc)
        rc = start_numbers(n, why, cap);
    if (!rc)
        rc = start_routing(n, why, cap);
    if (!rc)
        rc = start_budget(n, why, cap);
    if (!rc)
        rc = start_recorder(n, why, cap);
    if (!rc)
        rc = start_media(n, why, cap);
    if (!rc)
        rc = node_open_doors(n, why, cap);
    return rc;
}

int node_start(struct node **out, const struct node_opts *o, char *why, size_t cap)
{
    struct node *n = calloc(1, sizeof(*n));
    int rc;

    (void)snprintf(why, cap, "not enough memory");
    if (!n)
        return -ENOMEM;
    fill(n, o);
    share_files(n);
    metric_agents_max((unsigned)o->settings->metrics_agents);
    rc = make_parts(n, o->ringer);
    if (!rc)
        rc = start_threads(n, why, cap);
    if (rc) {
        node_stop(n);
        return rc;
    }
    if (n->accepter)
        triage_look_back(n);
    metrics_collector(node_metrics_collect, n);
    *out = n;
    return 0;
}

/* --- stop --- */

static void stop_media(struct node *n)
{
    if (!n->media)
        return;
    sweep_all(n); /* the last look, before everything ends anyway */
    for (unsigned i = 0; i < n->n_media; i++) {
        struct message *m = message_new(MSG_STOP, 0, NULL, 0);

        if (m)
            (void)mailbox_post(n->media[i]->mailbox, m);
    }
    for (unsigned i = 0; i < n->n_media; i++)
        pthread_join(n->media[i]->thread, NULL);
    resume_end_all(n);
}

void node_stop(struct node *n)
{
    if (!n)
        return;
    metrics_collector(NULL, NULL);
    node_close_doors(n);
    peers_deafen(n->peers);
    if (n->directory)
        directory_leave(n->directory);
    stop_media(n);
    if (n->books)
        books_hush(n->books);
    timetable_hush(n->timetable);
    adopt_wait(n);
    releases_stop(n->releases);
    budget_stop(n->budget);
    routing_hush(n->routing); /* it asks the scripts for their agents… */
    reload_hush(n->reload);
    texts_free(n->texts);
    flood_free(n->flood);
    if (n->scripts)
        script_pool_stop(n->scripts);
    routing_stop(n->routing); /* …and operations ask the node how it is */
    reload_stop(n->reload);
    meters_kept_free(n->meters);
    timetable_free(n->timetable);
    ringing_free(n->ringing);
    recorder_stop(n->recorder);
    for (unsigned i = 0; i < n->n_media; i++)
        media_thread_free(n->media[i]);
    free(n->media);
    vapi_hooks_free(n->vapi);
    numbers_stop(n->numbers);
    if (n->keep)
        keep_node(n->keep, "node_stopped", JSON_MEMBERS(J_INT("pid", getpid())));
    alarm_sink(NULL, NULL);
    keep_free(n->keep);
    directory_free(n->directory);
    tls_server_free(n->tls_server);
    tls_client_free(n->tls_client);
    peers_free(n->peers);
    free(n->stream_base);
    free(n->resume_url);
    pthread_mutex_destroy(&n->doors);
    free(n);
}
