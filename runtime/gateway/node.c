/* SPDX-License-Identifier: Apache-2.0 */
/* node.c - starts and ends everything that one `ringdown serve` consists of.
 *
 * Start: trust and certificate, agents, listening socket, script threads, media threads, and last
 * the accepter, so that the first webhook finds all of it. Stop in the opposite order. Sockets go
 * to the media thread with the fewest calls and connections.
 *
 * Failure modes: each step that fails says what to do in `why` and undoes the steps before it. */
#include "gateway/node_internal.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/adopt.h"
#include "gateway/books.h"
#include "gateway/budget.h"
#include "gateway/lent.h"
#include "gateway/line.h"
#include "gateway/media_thread.h"
#include "gateway/meters_kept.h"
#include "gateway/node_metrics.h"
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
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SCRIPT_MAILBOX_PER_CALL = 80, /* credits of a call, and the message that opens it */
    FILES_BESIDES = 512,          /* those that are no call and no request */
    STUCK_MS = 10000              /* a thread that did not come round for so long */
};

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

/* --- sockets to threads --- */

static unsigned load_of(struct media_thread *t)
{
    return atomic_load(&t->n_lines) * 4 + (unsigned)mailbox_depth(t->mailbox);
}

static struct media_thread *least_loaded(struct node *n)
{
    unsigned first = atomic_fetch_add(&n->next_media, 1);
    struct media_thread *best = n->media[first % n->n_media];

    for (unsigned i = 1; i < n->n_media; i++) {
        struct media_thread *t = n->media[(first + i) % n->n_media];

        if (load_of(t) < load_of(best))
            best = t;
    }
    return best;
}

static void on_socket(int fd, const char *peer, void *arg)
{
    struct media_thread *best = least_loaded(arg);
    struct message *m = message_new(MSG_SOCKET, 0, NULL, 0);

    (void)peer;
    if (!m || mailbox_depth(best->mailbox) >= MEDIA_SOCKETS_WAITING) {
        message_free(m);
        close(fd);
        return;
    }
    m->fd = fd;
    (void)mailbox_post(best->mailbox, m);
}

/* Is this call somebody's? Any thread. */
static bool knows_call(void *arg, call_handle call)
{
    struct node *n = arg;
    struct directory_view view;

    return directory_get(n->directory, call, &view) && view.state != DIRECTORY_OVER;
}

static unsigned thread_of(void *arg, call_handle call)
{
    struct node *n = arg;
    struct directory_view view;

    return directory_get(n->directory, call, &view) ? view.script_thread : 0;
}

/* As for the calls of that number: see voice.c. */
static bool site_of(void *arg, const char *agent, struct rd_str number, struct buf *out)
{
    struct node *n = arg;
    struct numbers_hit hit = {0};
    bool known = numbers_find(n->numbers, number, &hit) && rd_str_eq(hit.agent, rd_str(agent)) &&
                 hit.site.n > 0 && buf_add(out, hit.site.p, hit.site.n) == 0;

    numbers_let_go(&hit);
    return known;
}

static bool first_time(void *arg, const uint8_t key[32], uint32_t ms)
{
    return vapi_hooks_first(arg, key, ms);
}

static bool was_there(void *arg, const uint8_t key[32])
{
    return vapi_hooks_had(arg, key);
}

static void to_media(void *arg, unsigned media_thread, struct message *m)
{
    struct node *n = arg;

    if (media_thread < n->n_media)
        (void)mailbox_post(n->media[media_thread]->mailbox, m);
    else
        message_free(m);
}

/* --- start --- */

/* A call has two sockets. Without room for all of them, a flood of requests would leave none for
 * the provider. */
static void raise_file_limit(const struct settings *s)
{
    rlim_t want = FILES_BESIDES + 2 * (rlim_t)s->max_calls +
                  (rlim_t)s->media_threads * (2 * MEDIA_REQUESTS + MEDIA_SOCKETS_WAITING);
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= want)
        return;
    l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur < want)
        log_warn("node.few_files", F_INT("have", l.rlim_cur), F_INT("want", want),
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

/* The agents to begin with; the pool gets them, and from then on what changes. */
static int first_agents(struct node *n, struct agent_set **out, char *why, size_t cap)
{
    struct reload_opts o = {.settings = n->settings, .keep = n->keep, .control = n->control};
    char what[512];
    int rc = reload_new(&n->reload, &o);

    if (!rc)
        rc = releases_first(n->reload, n->settings, n->books, out, what, sizeof(what));
    if (rc)
        (void)snprintf(why, cap, "%s: %s; mend it, or set agents.path", n->settings->agents_path,
                       what);
    return rc;
}

static uint16_t port_of(const char *address)
{
    const char *colon = address ? strrchr(address, ':') : NULL;

    return (uint16_t)(colon ? atoi(colon + 1) : 0);
}

static int start_scripts(struct node *n, char *why, size_t cap)
{
    const struct settings *s = n->settings;
    char kept[PATH_MAX];
    struct script_opts o = {.threads = (unsigned)s->script_threads,
                            .aside = 1,
                            .lent = &n->lent,
                            .mailbox_capacity = SCRIPT_MAILBOX_PER_CALL * (size_t)s->max_calls,
                            .agents_path = s->agents_path,
                            .library_path = s->library_path,
                            .ca_file = s->ca_file[0] ? s->ca_file : NULL,
                            .twilio_api = s->twilio_api,
                            .twilio_sid = s->twilio_sid,
                            .twilio_token = s->twilio_tokens[0] ? s->twilio_tokens[0] : "",
                            .vapi_api = s->vapi_api,
                            .vapi_key = s->vapi_key,
                            .openai_url = s->openai_url,
                            .openai_key = s->openai_key,
                            .heartbeat_url = s->heartbeat_url,
                            .kept_path = kept,
                            .secrets = s->secrets,
                            .http_resolve = s->http_resolve,
                            .own_ports = {n->port, port_of(s->admin_listen)},
                            .public_url = s->public_url,
                            .resume_url = n->resume_url,
                            .smtp_url = s->smtp_url,
                            .smtp_from = s->smtp_from,
                            .smtp_ca = s->smtp_ca && s->smtp_ca[0] ? s->smtp_ca : s->ca_file,
                            .alert_channels = s->alert_channels,
                            .alert_rules = s->alert_rules,
                            .number_key = s->cluster_secret,
                            .call_deadline_ms = s->script_deadline_ms,
                            .journal = n->journal,
                            .asker = n->books ? books_asker(n->books) : NULL,
                            .agent_asker = n->books ? books_agent_asker(n->books) : NULL,
                            .aside_asker = n->books ? books_aside_asker(n->books) : NULL,
                            .to_media = to_media,
                            .knows_call = knows_call,
                            .thread_of = thread_of,
                            .site_of = site_of,
                            .first_time = first_time,
                            .was_there = was_there,
                            .keep_fact = triage_keep_fact,
                            .arg = n};
    int rc =
        snprintf(kept, sizeof(kept), "%s/kept", s->data) < (int)sizeof(kept) ? 0 : -ENAMETOOLONG;

    if (!rc)
        rc = first_agents(n, &o.agents, why, cap);

    if (rc)
        return rc;
    n->lent = (struct script_lent){&node_lent, n};
    rc = script_pool_start(&n->scripts, &o);
    agent_set_unref(o.agents);
    if (!rc)
        rc = reload_start(n->reload, n->scripts);
    if (!rc && n->books)
        rc = releases_start(&n->releases, n->reload, n->settings, n->books);
    if (rc)
        (void)snprintf(why, cap, "the script threads did not start: %s", rd_strerror(rc));
    return rc;
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

static int command(struct node *n, const char *call_sid, enum call_command kind,
                   const char *const words[2], uint32_t number)
{
    struct rd_str s[] = {rd_str(words[0]), rd_str(words[1])};
    struct directory_view view;
    struct message *m;

    if (!directory_find(n->directory, rd_str(call_sid), &view))
        return RD_EGONE;
    if (view.state != DIRECTORY_TAKEN)
        return view.state == DIRECTORY_AWAY ? RD_ESTATE : RD_EGONE;
    m = message_new(MSG_CALL_COMMAND, view.call, s, 2);
    if (!m)
        return -ENOMEM;
    m->kind = (int)kind;
    m->number = number;
    return mailbox_post(n->media[view.media_thread]->mailbox, m);
}

static void on_spent(void *arg, const char *call_sid)
{
    (void)command(arg, call_sid, CMD_SPENT, (const char *const[]){"", ""}, 0);
}

static int start_budget(struct node *n, char *why, size_t cap)
{
    struct budget_opts o = {.data = n->settings->data,
                            .secret = n->settings->cluster_secret,
                            .spent = on_spent,
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

static int accept_on(struct node *n, char *why, size_t cap)
{
    int rc;

    n->accepting_us = unix_us();
    atomic_store(&n->look_back, true);
    rc = accepter_start(&n->accepter, n->listen_fd, on_socket, n);

    if (rc)
        (void)snprintf(why, cap, "the accepter did not start: %s", rd_strerror(rc));
    return rc;
}

static int start_listening(struct node *n, char *why, size_t cap)
{
    int fd = listen_inherited(), rc = 0;

    n->is_inherited = fd >= 0 || n->listen_fd > 0;
    if (n->listen_fd > 0) {
        n->port = listen_port(n->listen_fd);
        return 0;
    }
    if (fd < 0)
        rc = listen_tcp(&fd, n->settings->public_listen, why, cap);
    if (rc)
        return rc;
    n->listen_fd = fd;
    n->port = listen_port(fd);
    peers_find(n->peers);
    return accept_on(n, why, cap);
}

int node_accept(struct node *n, char *why, size_t cap)
{
    int rc;

    peers_find(n->peers);
    rc = accept_on(n, why, cap);
    if (!rc)
        triage_look_back(n);
    return rc;
}

int node_start(struct node **out, const struct node_opts *o, char *why, size_t cap)
{
    struct node *n = calloc(1, sizeof(*n));
    int rc;

    (void)snprintf(why, cap, "not enough memory");
    if (!n)
        return -ENOMEM;
    n->settings = o->settings;
    n->control = o->control;
    n->name = o->settings->node_name;
    n->books = o->books;
    n->journal = o->books ? books_journal(o->books) : NULL;
    n->started_ms = clock_ms(loop_clock());
    n->listen_fd = o->listen_fd;
    pthread_mutex_init(&n->doors, NULL);
    raise_file_limit(o->settings);
    metric_agents_max((unsigned)o->settings->metrics_agents);
    n->auth = (struct twilio_auth){.public_url = o->settings->public_url,
                                   .tokens = (const char *const *)o->settings->twilio_tokens};
    rc = random_bytes(&n->id, sizeof(n->id));
    if (!rc)
        rc = make_urls(n);
    if (!rc)
        rc = directory_new(&n->directory, (unsigned)o->settings->max_calls,
                           (unsigned)o->settings->max_calls_per_caller);
    if (!rc)
        rc = start_keeping(n);
    if (!rc)
        rc = texts_new(&n->texts);
    if (!rc)
        rc = meters_kept_new(&n->meters, n);
    if (!rc)
        rc = timetable_new(&n->timetable, n, loop_clock());
    if (!rc)
        rc = ringing_new(&n->ringing, o->ringer);
    if (!rc)
        rc = vapi_hooks_new(&n->vapi);
    if (!rc)
        rc = peers_new(&n->peers, n);
    if (!rc)
        rc = start_tls(n, why, cap);
    if (!rc)
        rc = start_scripts(n, why, cap);
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
        rc = start_listening(n, why, cap);
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

/* --- while it runs --- */

int node_ring(struct node *n, const char *json)
{
    return ringing_ring(n->ringing, json);
}

int node_rung(struct node *n, struct buf *out)
{
    return ringing_rung(n->ringing, out);
}

void node_ring_judged(struct node *n, bool good, struct rd_str json)
{
    ringing_judged(n->ringing, good, json);
}

void node_drain(struct node *n)
{
    directory_drain(n->directory);
}

int node_listen_fd(struct node *n)
{
    return n->listen_fd;
}

unsigned node_peers(struct node *n)
{
    return peers_count(n->peers);
}

bool node_inherited(struct node *n)
{
    return n->is_inherited;
}

void node_close_doors(struct node *n)
{
    pthread_mutex_lock(&n->doors);
    if (n->accepter)
        accepter_stop(n->accepter);
    else if (n->listen_fd > 0)
        close(n->listen_fd);
    n->accepter = NULL;
    n->listen_fd = 0;
    pthread_mutex_unlock(&n->doors);
}

int node_step_aside(struct node *n)
{
    int rc = peers_listen(n->peers, on_socket, n);

    if (!rc)
        node_close_doors(n);
    return rc;
}

bool node_is_alive(struct node *n)
{
    uint64_t now_ms = clock_ms(loop_clock());
    bool alive = true;

    for (unsigned i = 0; i < n->n_media; i++)
        alive = alive && now_ms - atomic_load(&n->media[i]->pulse_ms) < STUCK_MS;
    return alive && script_pool_is_alive(n->scripts, now_ms);
}

unsigned node_busy(struct node *n)
{
    unsigned calls = node_calls(n), scripts = script_pool_vms(n->scripts);

    return calls > scripts ? calls : scripts;
}

uint64_t node_reload(struct node *n)
{
    char why[256];

    if (n->tls_server && tls_server_reload(n->tls_server, why, sizeof(why)))
        log_error("tls.not_reloaded", F_STR("why", why),
                  F_FIX("the old certificate stays in use; mend the files"));
    return reload_ask(n->reload);
}

int node_reloaded(struct node *n, uint64_t ticket, struct buf *out)
{
    return reload_answer(n->reload, ticket, out);
}

unsigned node_calls(struct node *n)
{
    return directory_counts(n->directory).live;
}

uint64_t node_refresh_numbers(struct node *n)
{
    return numbers_refresh(n->numbers);
}

uint16_t node_port(struct node *n)
{
    return n->port;
}

int node_hang_up(struct node *n, const char *call_sid, const char *who)
{
    struct directory_view view;

    if (directory_find(n->directory, rd_str(call_sid), &view) && view.state == DIRECTORY_AWAY)
        return line_end_away(n, &view, who);
    return command(n, call_sid, CMD_OPERATOR_END, (const char *const[]){who, ""}, 0);
}

unsigned node_hand_on(struct node *n, bool all)
{
    struct directory_view *views = calloc((size_t)n->settings->max_calls, sizeof(*views));
    size_t count = views ? directory_list(n->directory, views, (size_t)n->settings->max_calls) : 0;
    unsigned asked = 0;

    for (size_t i = 0; i < count; i++)
        if (views[i].state == DIRECTORY_TAKEN &&
            command(n, views[i].sid, CMD_HAND_ON, (const char *const[]){"", ""}, all) == 0)
            asked++;
    free(views);
    return asked;
}

int node_whisper(struct node *n, const char *call_sid, const char *text, bool now, const char *who)
{
    return command(n, call_sid, CMD_WHISPER, (const char *const[]){text, who}, now);
}

int node_transfer(struct node *n, const char *call_sid, const char *to, const char *who)
{
    return command(n, call_sid, CMD_TRANSFER, (const char *const[]){to, who}, 0);
}

int node_ask(struct node *n, const struct operation_order *o)
{
    return script_pool_operate(n->scripts, o);
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
        directory_drain(n->directory);
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
    meters_kept_free(n->meters);
    if (n->scripts)
        script_pool_stop(n->scripts);
    routing_stop(n->routing); /* …and operations ask the node how it is */
    reload_stop(n->reload);
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
