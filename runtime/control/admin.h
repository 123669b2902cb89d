/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h - the admin listener: HTTP on `admin.listen`, for the API, probes and whoever watches.
 *
 *   accepter ─fd─▶ mailbox ─▶ http_server ─▶ door: Host, Origin, how often ─▶ probes │ api
 *
 * Loop's thread only. It is never a media thread. */
#ifndef CONTROL_ADMIN_H
#define CONTROL_ADMIN_H

#include "control/api.h"
#include "control/readers.h"
#include "gateway/node.h"
#include "gateway/settings.h"
#include "io/loop.h"

struct admin;

struct admin_opts {
    struct loop *loop;
    const struct settings *settings; /* borrows: admin_listen, admin_hosts */
    struct api *api;                 /* borrows, as the next */
    struct readers *readers;
};

int admin_new(struct admin **out, const struct admin_opts *o);
void admin_free(struct admin *a); /* NULL is fine; before the api and its readers */

/* Listens from now on; when it cannot, it tries again by itself, and says so once: calls need nothing of
 * it. */
void admin_listen(struct admin *a);

/* Another process listens from now on. Who is being answered is. */
void admin_step_aside(struct admin *a);

void admin_attach(struct admin *a, struct node *n);

/* An address asked with a token that nobody knows: api_opts.on_unknown. */
void admin_unknown(struct admin *a, uint64_t key);

uint16_t admin_port(const struct admin *a); /* 0: it does not listen. Any thread */

#endif
