/* SPDX-License-Identifier: Apache-2.0 */
/* wait.h - a webhook of Vapi on its way to its answer. For gateway/vapi/ only; media thread. */
#ifndef GATEWAY_VAPI_WAIT_H
#define GATEWAY_VAPI_WAIT_H

#include "gateway/vapi/known.h"
#include "gateway/vapi/message.h"
#include "gateway/vapi/sign.h"

struct opening;

struct vapi_wait { /* its values stand in the request's body */
    struct vapi_message m;
    uint8_t mac[VAPI_MAC]; /* what it is remembered by */
    bool once;             /* its signature must be new to all nodes */
    bool asking;           /* the database, now */
    unsigned asked;        /* so many times */
};

/* It is about this call: go on with it. */
void vapi_hooks_go_on(struct opening *o, const struct vapi_call *c);

/* 401; `code` of the catalogue, behind "vapi.". Frees o. */
void vapi_hooks_refuse(struct opening *o, const char *code);

#endif
