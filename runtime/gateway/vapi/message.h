/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - what a webhook of Vapi says, read where it stands. Everything in it is a stranger's: ids
 * are checked, all else is copied with an end to it. Pure; any thread. */
#ifndef GATEWAY_VAPI_MESSAGE_H
#define GATEWAY_VAPI_MESSAGE_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>

enum vapi_kind {
    VAPI_OTHER,      /* of no use to us */
    VAPI_STATUS,     /* facts: */
    VAPI_REPORT,     /*   the call is over, with all that Vapi knows of it */
    VAPI_HANG,       /*   it did not answer the caller in time */
    VAPI_TRANSCRIPT, /* what the caller said, final */
    VAPI_TOOLS,      /* these wait for an answer: */
    VAPI_FUNCTION,   /*   one tool, as it used to be */
    VAPI_TRANSFER,   /*   where to? */
    VAPI_ASSISTANT   /*   who answers? */
};

enum { VAPI_ID = 65, VAPI_NUMBER = 33, VAPI_URL = 513 };

struct vapi_message {
    enum vapi_kind kind;
    char id[VAPI_ID];  /* Vapi's of the call; "" when none is told */
    char sid[VAPI_ID]; /* the carrier's */
    char from[VAPI_NUMBER], to[VAPI_NUMBER];
    char assistant[VAPI_ID], number_id[VAPI_ID]; /* Vapi's of who answers, and where */
    char control[VAPI_URL];                      /* who knows it controls the call: never logged */
    struct json_value message, call;
};

/* RD_EPROTO: no JSON, or none of this shape. */
int vapi_message_read(struct vapi_message *out, struct rd_str body);

/* Does it wait for an answer? */
bool vapi_message_asks(const struct vapi_message *m);

/* Has its caller talked to it? */
bool vapi_message_talks(const struct vapi_message *m);

/* Does it tell that the call is over? */
bool vapi_message_ends(const struct vapi_message *m);

/* What of a message was too long to be kept; `what` NULL: nothing was. */
struct vapi_dropped {
    const char *what;
    size_t bytes;
};

/* The members of the fact `vapi` that it tells. RD_EFULL, -ENOMEM. */
int vapi_message_fact(const struct vapi_message *m, struct buf *out, struct vapi_dropped *dropped);

/* What a script needs of it: members of an object, without its call. Of words that are too long their
 * beginning. RD_EFULL: tools that are; -ENOMEM. */
int vapi_message_ask(const struct vapi_message *m, struct buf *out);

/* How long the words are of which only the beginning is asked about; 0: all of them are. */
size_t vapi_message_cut(const struct vapi_message *m);

/* The answer when no script has one: each tool failed. */
int vapi_message_failed(const struct vapi_message *m, const char *why, struct buf *out);

#endif
