/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - the legs of one media thread, and the HTTP client that asks for their calls, which is made with
 * the first of them: a node without Vapi has none. */
#include "providers/vapi/pool.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_MAX = 256 * 1024, URL_MAX = 512, KEY_MAX = 512 };

struct vapi_pool {
    struct vapi_opts o;
    struct http_client *http; /* owns; NULL until it is needed */
    struct provider_leg *legs;
    struct vapi_counts counts;
    char url[URL_MAX], authorization[KEY_MAX];
};

int vapi_pool_new(struct vapi_pool **out, const struct vapi_opts *o)
{
    struct vapi_pool *p = calloc(1, sizeof(*p));
    const char *api = o->api ? o->api : "";
    size_t n = strlen(api);

    if (!p)
        return -ENOMEM;
    p->o = *o;
    while (n > 0 && api[n - 1] == '/')
        n--;
    /* What does not fit is refused by whoever reads it: curl, Vapi. */
    (void)snprintf(p->url, sizeof(p->url), "%.*s/call", (int)n, api);
    (void)snprintf(p->authorization, sizeof(p->authorization), "Authorization: Bearer %s",
                   o->key ? o->key : "");
    *out = p;
    return 0;
}

void vapi_pool_free(struct vapi_pool *p)
{
    if (!p)
        return;
    while (p->legs) {
        struct provider_leg *leg = p->legs;

        vapi_pool_leave(p, leg);
        vapi_leg_orphan(leg);
    }
    http_client_free(p->http);
    free(p);
}

int vapi_pool_ask(struct http_call **out, struct vapi_pool *p, struct rd_str body,
                  unsigned timeout_ms, http_done_fn *done, void *arg)
{
    const char *header[] = {"Content-Type: application/json", p->authorization, NULL};
    struct http_call_opts o = {.method = "POST",
                               .url = p->url,
                               .header = header,
                               .body = body,
                               .connect_timeout_ms = timeout_ms,
                               .timeout_ms = timeout_ms,
                               .max_body = ANSWER_MAX};
    int rc = p->http ? 0 : http_client_new(&p->http, p->o.loop, p->o.ca_file);

    if (rc)
        return rc;
    p->counts.dialled++;
    return http_call_start(out, p->http, &o, done, arg);
}

const char *vapi_pool_authorization(const struct vapi_pool *p)
{
    return p->authorization;
}

void vapi_pool_join(struct vapi_pool *p, struct provider_leg *leg)
{
    struct vapi_link *l = vapi_leg_link(leg);

    l->prev = NULL;
    l->next = p->legs;
    if (p->legs)
        vapi_leg_link(p->legs)->prev = leg;
    p->legs = leg;
}

void vapi_pool_leave(struct vapi_pool *p, struct provider_leg *leg)
{
    struct vapi_link *l = vapi_leg_link(leg);

    if (l->prev)
        vapi_leg_link(l->prev)->next = l->next;
    else
        p->legs = l->next;
    if (l->next)
        vapi_leg_link(l->next)->prev = l->prev;
}

unsigned vapi_pool_disown(struct vapi_pool *p, vapi_known_fn *is_known, void *arg)
{
    unsigned n = 0;

    for (struct provider_leg *leg = p->legs; leg; leg = vapi_leg_link(leg)->next) {
        if (vapi_leg_is_forgotten(leg) || is_known(arg, vapi_leg_arg(leg)))
            continue;
        vapi_leg_disown(leg); /* it leaves the list from the loop, not from here */
        n++;
    }
    return n;
}

unsigned vapi_pool_legs(const struct vapi_pool *p)
{
    unsigned n = 0;

    for (struct provider_leg *leg = p->legs; leg; leg = vapi_leg_link(leg)->next)
        n++;
    return n;
}

const struct vapi_opts *vapi_pool_opts(const struct vapi_pool *p)
{
    return &p->o;
}

struct vapi_counts *vapi_pool_own_counts(struct vapi_pool *p)
{
    return &p->counts;
}

struct vapi_counts vapi_pool_counts(const struct vapi_pool *p)
{
    return p->counts;
}
