/* SPDX-License-Identifier: Apache-2.0 */
/* rest.h - what the resources of the simulated REST API share. rest.c authenticates, routes and misbehaves;
 * rest_calls.c and rest_create.c are Calls, rest_messages.c Messages, rest_numbers.c the
 * account's numbers, rest_list.c how a list is paged. Loop's thread. */
#ifndef SIM_CARRIER_REST_H
#define SIM_CARRIER_REST_H

#include "io/http_server.h"
#include "sim/carrier/call.h"

enum { REST_PAGE_MAX = 1000, REST_PAGE = 50 };

/* A request that is signed for, to be answered by exactly one of the verbs below. */
struct rest_ask {
    struct carrier_double *d;
    struct http_request *r;
    bool post, remove;           /* neither: GET */
    char sid[CARRIER_SID_BYTES]; /* of the resource; "": the list of them */
    struct carrier_form form;    /* the body of a POST, the query of a GET */
    enum rest_fault fault;       /* what happens to the answer */
};

/* A mistake, and what is wrong with it: {code, message, more_info, status}. */
struct rest_mistake {
    int code; /* 0: none */
    const char *why;
};

void rest_answer(struct rest_ask *a, int status, json_t *tree); /* takes tree */
void rest_refuse(struct rest_ask *a, int status, int code, const char *message);
void rest_not_found(struct rest_ask *a);

/* A DELETE: of what is not complete 409, else 204 and `*gone`. */
void rest_remove(struct rest_ask *a, bool complete, bool *gone);

/* Takes the next fault of that kind and tells `rest.request`. True when the request is not done at all:
 * it is answered. */
bool rest_fails(struct rest_ask *a, enum rest_kind kind, const struct carrier_who *about);
bool rest_fails_with(struct rest_ask *a, enum rest_fault fault, const struct carrier_who *about);

/* A field that is not in the NULL-terminated list. */
struct rest_mistake rest_unknown(const struct carrier_form *f, const char *const *known);
bool rest_is_url(const char *z); /* NULL: nothing to be wrong */
bool rest_is_number(const char *z);

json_t *rest_date(int64_t unix_s); /* 0: null */
json_t *rest_text(const char *z);  /* NULL and "": null */

/* Does a time match NAME=2026-11-27, NAME<=…, NAME>=… of the query? */
bool rest_in_time(const struct carrier_form *query, const char *name, int64_t unix_s);
bool rest_matches(const struct carrier_form *query, const char *name, const char *value);

/* One page of `all` (an array, newest first; taken) as the envelope of a list. */
void rest_page(struct rest_ask *a, const char *resource, const char *member, json_t *all);

/* Url, Twiml, Method and StatusCallback of a call that is created or changed. */
struct rest_mistake rest_check_document(const struct carrier_form *f);
void rest_answer_leg(struct rest_ask *a, int status, const struct carrier_leg *l);

void rest_calls(struct rest_ask *a);
void rest_create_call(struct rest_ask *a);
void rest_messages(struct rest_ask *a);
void rest_numbers(struct rest_ask *a);
bool rest_is_control(const struct http_request *r);
void rest_control(struct rest_ask *a);

#endif
