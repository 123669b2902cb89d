/* SPDX-License-Identifier: Apache-2.0 */
/* The carrier double as a whole: its account, its HTTP client, its REST server, its calls.
 *
 * Happy path: start, place calls (carrier_call.c), stop.
 * Failure modes: the REST address is taken: `why` says so, nothing is left behind. Stopping with
 * calls in progress drops them without reports.
 */
#include "sim/carrier/double.h"

#include "base/err.h"
#include "sim/carrier/leg.h"
#include "sim/carrier/texts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *without_slash(const char *url)
{
    size_t n = strlen(url);

    while (n > 0 && url[n - 1] == '/')
        n--;
    return strndup(url, n);
}

int carrier_double_start(struct carrier_double **out, const struct carrier_double_opts *o,
                         char *why, size_t cap)
{
    struct carrier_double *d = calloc(1, sizeof(*d));
    int rc = -ENOMEM;

    if (!d)
        return rc;
    snprintf(why, cap, "out of memory");
    d->loop = o->loop;
    d->tls = o->tls;
    d->on_event = o->on_event;
    d->event_arg = o->event_arg;
    d->scenarios = o->scenarios;
    d->n_scenarios = o->n_scenarios;
    d->began_ms = clock_ms(loop_clock());
    d->since_unix = (int64_t)time(NULL);
    rc = rest_faults_read(&d->faults, o->rest_fault, why, cap);
    rc = rc ? rc : carrier_numbers_read(&d->numbers, o->numbers, why, cap);
    if (rc)
        goto fail;
    rc = -ENOMEM;
    d->node_url = without_slash(o->node_url);
    d->fallback_url = o->fallback_url ? strdup(o->fallback_url) : NULL;
    d->reach = o->reach ? without_slash(o->reach) : NULL;
    d->trial = o->trial;
    d->system = o->system;
    d->fenced = o->fenced;
    d->account = strdup(o->account_sid ? o->account_sid : CARRIER_DOUBLE_ACCOUNT);
    d->token = strdup(o->auth_token ? o->auth_token : CARRIER_DOUBLE_TOKEN);
    if (!d->node_url || !d->account || !d->token || (o->fallback_url && !d->fallback_url) ||
        (o->reach && !d->reach))
        goto fail;
    rc = http_client_new(&d->http, d->loop, o->ca_file);
    if (rc) {
        snprintf(why, cap, "HTTP client: %s", rd_strerror(rc));
        goto fail;
    }
    if (o->rest_listen) {
        rc = carrier_rest_start(&d->rest, d, o->rest_listen, why, cap);
        if (rc)
            goto fail;
    }
    *out = d;
    return 0;
fail:
    carrier_double_stop(d);
    return rc;
}

void carrier_double_stop(struct carrier_double *d)
{
    if (!d)
        return;
    carrier_rest_stop(d->rest);
    while (d->calls) {
        struct carrier_call *c = d->calls;
        d->calls = c->next;
        carrier_call_free(c);
    }
    carrier_legs_free(d);
    carrier_texts_free(d);
    carrier_posts_cancel(d);
    http_client_free(d->http);
    carrier_numbers_fini(&d->numbers);
    free(d->node_url);
    free(d->fallback_url);
    free(d->reach);
    free(d->account);
    free(d->token);
    free(d);
}

uint16_t carrier_double_rest_port(const struct carrier_double *d)
{
    return d->rest ? carrier_rest_port(d->rest) : 0;
}

bool carrier_double_busy(const struct carrier_double *d)
{
    return carrier_texts_busy(d) || carrier_legs_busy(d);
}
