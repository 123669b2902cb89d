/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - the pool of script threads and the set of agents that new calls are opened against.
 *
 * Starting: all mailboxes exist before script_pool_start() returns. Stopping: every thread gets
 * MSG_STOP, is joined, then freed; posters must be gone by then. */
#include "agent/host.h"

#include "agent/errand.h"
#include "agent/expected.h"
#include "agent/operation.h"
#include "base/err.h"
#include "base/now.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRAND_JSON_MAX = 64 * 1024, STUCK_MS = 10000, ASIDE_MAILBOX = 256 };

static int copy_text(const char **field)
{
    if (!*field)
        return 0;
    *field = strdup(*field);
    return *field ? 0 : -ENOMEM;
}

/* The caller's strings may go; ours stay. A failed copy leaves NULL behind. */
static int copy_opts(struct script_opts *to, const struct script_opts *from)
{
    const char **fields[] = {
        &to->agents_path,  &to->library_path,   &to->ca_file,     &to->twilio_api,
        &to->twilio_sid,   &to->twilio_token,   &to->resume_url,  &to->secrets,
        &to->http_resolve, &to->number_key,     &to->vapi_api,    &to->vapi_key,
        &to->kept_path,    &to->public_url,     &to->smtp_url,    &to->smtp_from,
        &to->smtp_ca,      &to->alert_channels, &to->alert_rules, &to->openai_url,
        &to->openai_key,   &to->heartbeat_url};
    int rc = 0;

    *to = *from;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (copy_text(fields[i]))
            rc = -ENOMEM;
    return rc;
}

static void free_opts(struct script_opts *o)
{
    free((void *)o->agents_path);
    free((void *)o->library_path);
    free((void *)o->ca_file);
    free((void *)o->twilio_api);
    free((void *)o->twilio_sid);
    free((void *)o->twilio_token);
    free((void *)o->resume_url);
    if (o->secrets)
        explicit_bzero((void *)o->secrets, strlen(o->secrets));
    free((void *)o->secrets);
    free((void *)o->http_resolve);
    free((void *)o->number_key);
    free((void *)o->vapi_api);
    free((void *)o->vapi_key);
    free((void *)o->openai_url);
    free((void *)o->openai_key);
    free((void *)o->heartbeat_url);
    free((void *)o->kept_path);
    free((void *)o->public_url);
    free((void *)o->smtp_url);
    free((void *)o->smtp_from);
    free((void *)o->smtp_ca);
    free((void *)o->alert_channels);
    free((void *)o->alert_rules);
}

int script_pool_start(struct script_pool **out, const struct script_opts *o)
{
    struct script_pool *p = calloc(1, sizeof(*p));
    unsigned n = o->threads ? o->threads : 1;
    int rc;

    if (!p)
        return -ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    p->agents = agent_set_ref(o->agents);
    p->started_s = unix_us() / 1000000;
    rc = copy_opts(&p->opts, o);
    if (rc)
        goto fail;
    p->threads = calloc(n + o->aside, sizeof(*p->threads));
    p->expected = expected_new();
    if (!p->threads || !p->expected) {
        rc = -ENOMEM;
        goto fail;
    }
    p->n_threads = n;
    for (; p->n_started < n + o->aside; p->n_started++) {
        struct script_thread *t = &p->threads[p->n_started];

        t->aside = p->n_started >= n;
        rc = script_thread_start(t, p, t->aside ? ASIDE_MAILBOX : o->mailbox_capacity);
        if (rc) {
            p->n_started++; /* half started: stop() knows */
            goto fail;
        }
    }
    *out = p;
    return 0;
fail:
    script_pool_stop(p);
    return rc;
}

void script_pool_stop(struct script_pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->n_started; i++)
        script_thread_stop(&p->threads[i]);
    agent_set_unref(p->agents);
    expected_free(p->expected);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free_opts(&p->opts);
    free(p);
}

unsigned script_pool_size(const struct script_pool *p)
{
    return p->n_threads;
}

struct mailbox *script_pool_mailbox(struct script_pool *p, unsigned thread)
{
    return p->threads[thread].mailbox;
}

void script_pool_sweep(struct script_pool *p)
{
    for (unsigned i = 0; i < p->n_threads; i++) {
        struct message *m = message_new(MSG_SWEEP, 0, NULL, 0);

        if (m)
            (void)mailbox_post(p->threads[i].mailbox, m);
    }
}

static int post_errand(struct script_thread *t, struct message *m)
{
    int rc = errand_room(t, m->s[1].p);

    if (rc) {
        message_free(m);
        return rc;
    }
    rc = mailbox_post(t->mailbox, m);
    if (rc)
        errand_no_room(t);
    return rc;
}

static unsigned thread_for(struct script_pool *p, call_handle call)
{
    if (!call)
        return atomic_fetch_add(&p->next_errand, 1) % p->n_threads;
    return p->opts.thread_of ? p->opts.thread_of(p->opts.arg, call) % p->n_threads : 0;
}

static int begin_errand(struct script_pool *p, const char *agent, const char *kind,
                        const char *json, call_handle call, unsigned media_thread, uint64_t asked)
{
    struct rd_str s[] = {rd_str(agent), rd_str(kind), rd_str(json)};
    struct message *m;

    if (s[2].n > ERRAND_JSON_MAX)
        return RD_ETOOBIG;
    m = message_new(MSG_ERRAND, call, s, 3);
    if (!m)
        return -ENOMEM;
    m->number = media_thread;
    m->aux = asked;
    return post_errand(&p->threads[thread_for(p, call)], m);
}

int script_pool_errand(struct script_pool *p, const char *agent, const char *kind, const char *json,
                       call_handle call, unsigned media_thread)
{
    return begin_errand(p, agent, kind, json, call, media_thread, 0);
}

int script_pool_question(struct script_pool *p, const char *agent, const char *kind,
                         const char *json, unsigned media_thread, uint64_t number)
{
    return begin_errand(p, agent, kind, json, 0, media_thread, number);
}

int script_pool_operate(struct script_pool *p, const struct operation_order *o)
{
    unsigned aside = p->n_started - p->n_threads;

    if (o->aside && aside > 0)
        return operation_post(
            &p->threads[p->n_threads + atomic_fetch_add(&p->next_aside, 1) % aside], o);
    return operation_post(&p->threads[thread_for(p, 0)], o);
}

void errand_place_write(const struct errand_place *p, char out[ERRAND_PLACE_TEXT])
{
    (void)snprintf(out, ERRAND_PLACE_TEXT, "%u.%" PRIu64, p->thread, p->errand);
}

bool errand_place_read(struct errand_place *out, struct rd_str text)
{
    char copy[ERRAND_PLACE_TEXT], again[ERRAND_PLACE_TEXT];

    if (!rd_str_copy(copy, sizeof(copy), text) ||
        sscanf(copy, "%4u.%18" SCNu64, &out->thread, &out->errand) != 2)
        return false;
    errand_place_write(out, again); /* as we write them, and nothing behind */
    return strcmp(copy, again) == 0;
}

bool script_pool_has_errand(const struct script_pool *p, const struct errand_place *at)
{
    return at->errand / ERRANDS_OF_A_PROCESS == p->started_s;
}

int script_pool_letter(struct script_pool *p, const struct errand_place *at, struct rd_str kind,
                       struct rd_str json)
{
    struct message *m;

    if (at->thread >= p->n_threads)
        return RD_EGONE;
    m = message_new(MSG_ERRAND, 0, (struct rd_str[]){RD_STR(""), kind, json}, 3);
    if (!m)
        return -ENOMEM;
    m->kind = ERRAND_LETTER;
    m->aux = at->errand;
    return mailbox_post(p->threads[at->thread].mailbox, m);
}

bool script_pool_is_alive(struct script_pool *p, uint64_t now_ms)
{
    for (unsigned i = 0; i < p->n_threads; i++)
        if (now_ms - atomic_load(&p->threads[i].pulse_ms) >= STUCK_MS)
            return false;
    return true;
}

unsigned script_pool_vms(const struct script_pool *p)
{
    return atomic_load_explicit(&((struct script_pool *)p)->vms, memory_order_relaxed);
}

size_t script_pool_vm_bytes(const struct script_pool *p)
{
    size_t sum = 0;

    for (unsigned i = 0; i < p->n_threads; i++)
        sum += atomic_load_explicit(&p->threads[i].vm_bytes, memory_order_relaxed);
    return sum;
}

struct agent_set *script_pool_agents(struct script_pool *p)
{
    struct agent_set *s;

    pthread_mutex_lock(&p->lock);
    s = agent_set_ref(p->agents);
    pthread_mutex_unlock(&p->lock);
    return s;
}

void script_pool_set_agents(struct script_pool *p, struct agent_set *s)
{
    struct agent_set *old;

    pthread_mutex_lock(&p->lock);
    old = p->agents;
    p->agents = agent_set_ref(s);
    pthread_mutex_unlock(&p->lock);
    agent_set_unref(old);
}
