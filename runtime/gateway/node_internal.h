/* SPDX-License-Identifier: Apache-2.0 */
/* node_internal.h - what the threads of a node share. Written before they start, read-only after,
 * except what is atomic or has a lock of its own. */
#ifndef GATEWAY_NODE_INTERNAL_H
#define GATEWAY_NODE_INTERNAL_H

#include "agent/host.h"
#include "carriers/twilio/verify.h"
#include "gateway/directory.h"
#include "gateway/keep.h"
#include "gateway/node.h"
#include "io/accepter.h"
#include "io/tls.h"

#include <pthread.h>
#include <stdatomic.h>

struct media_thread;
struct flood;
struct meters_kept;
struct vapi_hooks;

/* Who else has a say in whether a new call is taken. Asked on a media thread before a slot is
 * claimed: answers at once. A refusal gives a reason ("journal_full") and its remedy, and has been
 * counted by whoever refuses. */
struct voice_gate {
    bool (*admits)(void *arg, const char **reason, const char **fix); /* NULL: everybody */
    void *arg;
};

struct node {
    const struct settings *settings; /* borrows */
    struct mailbox *control;         /* borrows */
    struct directory *directory;
    struct books *books;     /* borrows; NULL: nothing is kept */
    struct journal *journal; /* borrows: that of the books */
    struct keep *keep;
    struct numbers *numbers; /* NULL: nothing is kept, so nobody assigned any */
    struct routing *routing; /* gateway/routing.h */
    struct budget *budget;   /* gateway/budget.h; NULL: nothing is kept, so nobody counts */
    const char *name;        /* borrows from settings */
    struct script_pool *scripts;
    struct script_lent lent;   /* ourselves, to the scripts */
    struct reload *reload;     /* gateway/reload.h */
    struct releases *releases; /* gateway/releases.h; NULL without books */
    struct recorder *recorder; /* gateway/tape.h */
    struct texts *texts;
    struct flood *flood;           /* gateway/flood.h */
    struct meters_kept *meters;    /* gateway/meters_kept.h */
    struct timetable *timetable;   /* gateway/timetable.h */
    struct ringing *ringing;       /* gateway/ringing.h */
    struct vapi_hooks *vapi;       /* gateway/vapi/hooks.h */
    struct peers *peers;           /* gateway/peers.h */
    struct tls_server *tls_server; /* NULL: plain */
    struct tls_client *tls_client;
    struct twilio_auth auth;
    struct voice_gate gate;
    struct accepter *accepter;
    int listen_fd;         /* that of the accepter, or handed over and not yet its; 0: none */
    bool is_inherited;     /* by LISTEN_FDS */
    uint64_t accepting_us; /* by the calendar: calls from before are another process\'s */
    atomic_bool look_back; /* once the processes before us are gone: gateway/triage.h */
    pthread_mutex_t doors; /* of the accepter: who hands over is another thread than who ends */
    struct media_thread **media;
    unsigned n_media;
    unsigned max_requests;  /* of each at once; twice as many may wait to be looked at */
    atomic_uint next_media; /* among equals, each in its turn */
    atomic_uint next_script;
    atomic_uint adopting; /* questions about other nodes and their calls that the database has */
    atomic_bool beating;  /* one of them is a beat */
    atomic_uint_fast64_t claims_known_us; /* monotonic: when the last look at them was answered */
    uint32_t id;                          /* of this run, in tokens */
    uint16_t port;
    uint64_t started_ms;
    char *stream_base; /* "wss://host/twilio/media/" */
    char *resume_url;  /* "https://host/twilio/resume" */
};

#endif
