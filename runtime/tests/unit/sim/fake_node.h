/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.h - a small node on loopback for the stories about the carrier double: answers its
 * webhooks with pages, checks their signatures, keeps what was asked. */
#ifndef TESTS_FAKE_NODE_H
#define TESTS_FAKE_NODE_H

#include "io/http_client.h"
#include "io/http_server.h"
#include "io/loop.h"
#include "sim/carrier/double.h"

#include <jansson.h>
#include <stdbool.h>

struct accepter;
struct mailbox;

enum { NODE_PAGES = 8, NODE_GIVE_UP_MS = 10000, NODE_FORMS = 24, NODE_WAITS = 1000 };

struct node_page {
    const char *path, *type, *body;
    int status;
};

struct node {
    struct loop *loop;
    struct http_server *http;
    struct accepter *accepter;
    struct mailbox *sockets;
    struct http_client *client;
    struct loop_timer *give_up;
    struct carrier_double *carrier;
    char url[64];
    struct node_page pages[NODE_PAGES];
    char asked[1024];             /* paths in order, each with a space behind */
    char last_voice[4096];        /* form of the request that was no status callback */
    char forms[NODE_FORMS][4096]; /* of all requests, the status callbacks too */
    size_t n_forms;
    char status_form[4096];
    bool unsigned_request;
    void (*on_stream)(struct node *n, struct ws *w, const char *event, json_t *message);
    char heard[2048]; /* events of the stream in order */
    char stream_sid[64];
    unsigned media;
    int step, rest_status, rest_code, rest_err;
    char rest_asked[300], rest_form[2048];
    char rest_body[16384];
    struct call_report report;
    const struct scenario *scenarios[1];
    struct scenario scenario; /* of every call; its people are at the telephones */
    char dial[16];            /* what a <Dial> comes to; "": it is answered */
    void (*watch)(struct node *n, const char *event); /* NULL: nobody */
    char events[32768];
};

/* For cmocka: *state is the struct node. */
int node_set_up(void **state);
int node_set_up_with(void **state, const char *rest_fault);
int node_set_up_numbers(void **state, const char *numbers, const char *rest_fault);
int node_tear_down(void **state);

/* Answers this path with a document. */
void node_page(struct node *n, const char *path, const char *twiml);

/* Places one call and waits for its report. */
void node_call(struct node *n);

/* Asks the REST API below /2010-04-01/Accounts/AC…; the answer comes to rest_status, rest_code and
 * rest_body, and `done`, when the loop runs. node_rest() waits for it. */
void node_ask(struct node *n, const char *method, const char *path, const char *body);
void node_rest(struct node *n, const char *method, const char *path, const char *body);
void node_wait(struct node *n, unsigned ms); /* lets the loop run for so long */

/* The forms that were posted with this field, one after the other; NULL: no more. From *at = 0. */
const char *node_form(const struct node *n, size_t *at, const char *name, const char *value);

void assert_field(const char *body, const char *name, const char *want);

#endif
