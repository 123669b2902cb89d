/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - what the legs need from their pool. Loop's thread only. */
#ifndef PROVIDERS_VAPI_POOL_H
#define PROVIDERS_VAPI_POOL_H

#include "io/http_client.h"
#include "providers/vapi/vapi.h"

/* What Vapi is in observe/targets.h. */
#define VAPI_TARGET "vapi"

/* Links of the pool's list of its legs. */
struct vapi_link {
    struct provider_leg *prev, *next;
};

/* A leg as its pool sees it: session.c. */
struct vapi_link *vapi_leg_link(struct provider_leg *leg);
const void *vapi_leg_arg(const struct provider_leg *leg);
void vapi_leg_disown(struct provider_leg *leg); /* it ends, and tells nobody */
bool vapi_leg_is_forgotten(const struct provider_leg *leg);
void vapi_leg_orphan(struct provider_leg *leg); /* the pool is going; the leg lives on without */

void vapi_pool_join(struct vapi_pool *p, struct provider_leg *leg);
void vapi_pool_leave(struct vapi_pool *p, struct provider_leg *leg);

/* Asks POST /call. Errors as http_call_start(); RD_EREFUSED is none of them. */
int vapi_pool_ask(struct http_call **out, struct vapi_pool *p, struct rd_str body,
                  unsigned timeout_ms, http_done_fn *done, void *arg);

/* "Authorization: Bearer …" */
const char *vapi_pool_authorization(const struct vapi_pool *p);

const struct vapi_opts *vapi_pool_opts(const struct vapi_pool *p);
struct vapi_counts *vapi_pool_own_counts(struct vapi_pool *p);

#endif
