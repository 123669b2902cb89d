/* SPDX-License-Identifier: Apache-2.0 */
/* node_scripts.c - the script threads of a node: what they get to begin with (agents, addresses,
 * secrets, the database), and what they may ask about its calls. Who wants to know asks from any
 * thread, so everything here reads what does not change, or has a lock of its own. */
#include "gateway/node_scripts.h"

#include "base/err.h"
#include "gateway/books.h"
#include "gateway/lent.h"
#include "gateway/numbers.h"
#include "gateway/releases.h"
#include "gateway/reload.h"
#include "gateway/triage.h"
#include "gateway/vapi/hooks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_MAILBOX_PER_CALL = 80 }; /* credits of a call, and the message that opens it */

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

int node_start_scripts(struct node *n, char *why, size_t cap)
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
