/* SPDX-License-Identifier: Apache-2.0 */
/* wait.h - a webhook of Vapi on its way to its answer. For gateway/vapi/ only; media thread. */
#ifndef GATEWAY_VAPI_WAIT_H
#define GATEWAY_VAPI_WAIT_H

#include "gateway/vapi/known.h"
#include "gateway/vapi/message.h"
#include "gateway/vapi/sign.h"

struct opening;

struct vapi_said {   /* by the database, of what it is about */
    bool at_all;     /* it answered */
    bool repeated;   /* the signature was there before */
    bool elsewhere;  /* a call of ours, and not at Vapi */
    bool not_routed; /* the same, but it came to no line of ours */
    struct vapi_call call;
    char number[VAPI_NUMBER];
};

struct vapi_wait { /* its values stand in the request's body */
    struct vapi_message m;
    uint8_t mac[VAPI_MAC]; /* what it is remembered by */
    bool once;             /* its signature must be new to all nodes */
    uint64_t by_ms;        /* Vapi waits no longer */
    bool asking;           /* the database, now */
    unsigned asked;        /* so many times */
    bool checking;         /* Vapi is asked whether it has such a call */
    bool shown;            /* it has */
    struct vapi_said said;
};

/* It is about this call: go on with it. */
void vapi_hooks_go_on(struct opening *o, const struct vapi_call *c);

/* 401; `code` of the catalogue, behind "vapi.". Frees o. */
void vapi_hooks_refuse(struct opening *o, const char *code);

#endif
