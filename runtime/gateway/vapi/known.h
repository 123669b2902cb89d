/* SPDX-License-Identifier: Apache-2.0 */
/* known.h - calls that were sent to Vapi, as far as this process knows: those it sent itself, and those
 * the database named. The newest few thousand. Any thread. */
#ifndef GATEWAY_VAPI_KNOWN_H
#define GATEWAY_VAPI_KNOWN_H

#include "gateway/vapi/message.h"

enum { VAPI_AGENT = 129 };

struct vapi_call {
    char sid[VAPI_ID], id[VAPI_ID]; /* the carrier's; Vapi's, "" until it tells */
    char agent[VAPI_AGENT], from[VAPI_NUMBER], to[VAPI_NUMBER];
    char control[VAPI_URL]; /* never logged */
    bool line;              /* it runs over a line of ours, on this node or another */
    bool direct;            /* Vapi has it, and not from us */
    bool fell; /* it was meant for another system and not answered; told once, so not remembered */
};

struct vapi_known;

/* How a call without a carrier's id is called here: by Vapi's. False: it has none either. */
bool vapi_known_name(char out[VAPI_ID], const struct vapi_message *m);

int vapi_known_new(struct vapi_known **out, size_t places); /* -ENOMEM */
void vapi_known_free(struct vapi_known *k);

/* Adds it, or what is new about it. `watched`: vapi_known_silent() may name it. */
void vapi_known_put(struct vapi_known *k, const struct vapi_call *c, uint64_t now_ms, bool watched);

/* The next call that was put `after_ms` ago and of which no message has said since that Vapi talks to its
 * caller; each once. */
bool vapi_known_silent(struct vapi_known *k, uint64_t now_ms, uint64_t after_ms,
                       struct vapi_call *out);

/* By either id; a message that names neither call of ours: by its numbers, if that call was sent a moment
 * ago. What the message tells of its call is remembered. */
bool vapi_known_find(struct vapi_known *k, const struct vapi_message *m, uint64_t now_ms,
                     struct vapi_call *out);

#endif
