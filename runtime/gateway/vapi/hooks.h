/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.h - POST /vapi/events: what Vapi tells and asks about calls that it has. */
#ifndef GATEWAY_VAPI_HOOKS_H
#define GATEWAY_VAPI_HOOKS_H

#include "gateway/media_thread.h"

struct message;
struct opening;
struct vapi_hooks;
struct vapi_known;
struct vapi_wait;

/* Of a node. */
int vapi_hooks_new(struct vapi_hooks **out);
void vapi_hooks_free(struct vapi_hooks *v);

struct vapi_known *vapi_hooks_calls(const struct node *n); /* borrows */

/* A call is sent to Vapi: its webhooks are ours from now on. Any thread. */
void vapi_hooks_expect(struct node *n, struct rd_str sid, const char *agent, struct rd_str from,
                       struct rd_str to);

/* Once a second: which of them does Vapi say nothing about? */
void vapi_hooks_look(struct node *n);

/* The first time for `ms` in this process? And was it there? Any thread. */
bool vapi_hooks_first(struct node *n, const uint8_t key[32], uint32_t ms);
bool vapi_hooks_had(struct node *n, const uint8_t key[32]);

/* Vapi is asked to begin the call of an opening whose agent bypasses: route_bypassed() hears of it. */
int vapi_hooks_bypass(struct opening *o, const struct directory_view *view, unsigned within_ms);

/* How long its body may be; 0: it is not for us. */
size_t vapi_hooks_body_max(struct media_thread *t, const struct http_request *r);

void vapi_hooks_request(struct media_thread *t, struct http_request *r);
void vapi_hooks_known(struct media_thread *t, const struct message *m);   /* MSG_VAPI_KNOWN */
void vapi_hooks_replied(struct media_thread *t, const struct message *m); /* MSG_REPLIED */

/* The node ends: whoever waits is told so. */
void vapi_hooks_shut(struct opening *o);

#endif
