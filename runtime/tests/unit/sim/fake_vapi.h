/* SPDX-License-Identifier: Apache-2.0 */
/* fake_vapi.h - the Vapi double on loopback with somebody who asks its API, and a small server that its
 * messages go to: answers them, keeps them. */
#ifndef TESTS_FAKE_VAPI_H
#define TESTS_FAKE_VAPI_H

#include "io/http_client.h"
#include "sim/listener.h"
#include "sim/vapi/double.h"

#include <jansson.h>
#include <stdbool.h>

enum { DESK_GIVE_UP_MS = 10000 };

struct desk {
    struct loop *loop;
    struct vapi_double *vapi;
    struct listener *listener;
    struct http_client *client;
    struct loop_timer *give_up, *pause;
    char url[64], origin[64];
    json_t *messages; /* owns; what was posted to us, oldest first */
    char proof[200], stamp[40], body[65536];
    bool bodies_alike; /* … and the one before */
    /* What a type is answered with; NULL: {}. */
    const char *(*answer)(const char *type, const json_t *message);
    int answer_status; /* 0: 200 */
    const char *page;  /* Twilio's webhook is answered with it; NULL: 404 */
    size_t wanted;     /* messages that are waited for */
    bool gave_up;
    int status, err;
    char head[1024], text[1 << 19];
    json_t *json; /* owns; what the API answered, if it was JSON */
};

/* For cmocka: *state is the struct desk. */
int desk_set_up(void **state);
int desk_set_up_with(void **state, struct vapi_double_opts o);
int desk_tear_down(void **state);

/* Asks the API and waits for its answer: status, text, json. Without a body: NULL. */
void desk_ask(struct desk *d, const char *method, const char *path, const char *body);
void desk_ask_as(struct desk *d, const char *key, const char *method, const char *path,
                 const char *body);
void desk_form(struct desk *d, const char *path, const char *form); /* as Twilio asks */
void desk_wait(struct desk *d, unsigned ms);
void desk_wait_messages(struct desk *d, size_t n); /* until so many were posted in all */

/* The n-th message posted of that type, from 0; NULL: none. Borrowed. */
const json_t *desk_message(const struct desk *d, const char *type, size_t n);

/* The newest answer at "a.b.0.c", as text; "": absent. */
const char *desk_at(const struct desk *d, const char *path);
const char *json_at(const json_t *tree, const char *path);

#endif
