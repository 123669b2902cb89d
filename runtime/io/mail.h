/* SPDX-License-Identifier: Apache-2.0 */
/* mail.h - one e-mail to a mail server (libcurl's SMTP), each on a helper thread of its own, because
 * saying goodbye to a server blocks.
 *
 * The server must be trusted: smtps://, or smtp:// with STARTTLS, certificate and name verified;
 * only on loopback a plain connection will do. Whatever is wrong with the mail itself (an address, a line
 * break in it, too long) is told before anything is sent. */
#ifndef IO_MAIL_H
#define IO_MAIL_H

#include "base/buf.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MAIL_TO_MAX = 16, /* recipients */
    MAIL_ADDRESS_MAX = 254,
    MAIL_SUBJECT_MAX = 400, /* bytes, as the following */
    MAIL_BODY_MAX = 256 * 1024,
    MAIL_ID_MAX = 200,
    MAIL_WHY_MAX = 320,
    MAILS_AT_ONCE = 4 /* of the process; more are refused */
};

/* Borrowed for the call. */
struct mail_letter {
    const char *from;        /* an address alone: alerts@example.com */
    const char *const *to;   /* the same; NULL-terminated */
    const char *subject;     /* UTF-8; line breaks become spaces */
    const char *text, *html; /* UTF-8, any line ends; html NULL or "": none */
    const char *id;          /* Message-ID without <>; NULL: a random one */
    const char *answers;     /* the id of the mail that this one goes below; NULL: none */
};

/* The mail as it goes over the line (RFC 5322, CRLF), at this time. -EINVAL with the reason in `why`;
 * RD_EFULL, -ENOMEM. Pure but for the random id. */
int mail_write(struct buf *out, const struct mail_letter *m, int64_t unix_s, char *why, size_t cap);

/* Is it one address that we take? */
bool mail_address_valid(const char *address);

struct mail_server {
    const char *url;     /* smtps://user:password@host:465, smtp://host:587 */
    const char *ca_file; /* NULL or "": the system's authorities */
};

struct mail_result {
    int err; /* 0; -ECONNREFUSED, -EAGAIN, RD_ETLS, RD_EAUTH, RD_EREFUSED: nobody got it. -ETIMEDOUT,
                -EIO: somebody may have it */
    const char *why;  /* for people; "" when 0 */
    const char *code; /* "not_sent"; "refused": nor will it be as it is; "unknown"; "" when 0 */
};
typedef void(mail_done_fn)(const struct mail_result *r, void *arg);

/* 0: `done` is called once on the loop, after 20 seconds at most. -EINVAL with `why`; RD_EFULL: too many are
 * on their way; -ENOMEM. Everything is copied. */
struct mail;
int mail_send(struct mail **out, struct loop *l, const struct mail_server *s,
              const struct mail_letter *m, mail_done_fn *done, void *arg, char *why, size_t cap);

/* The same way to the server, and no mail: hello, STARTTLS, login, NOOP. */
int mail_hello(struct mail **out, struct loop *l, const struct mail_server *s, mail_done_fn *done,
               void *arg, char *why, size_t cap);

/* No callback any more; waits for the helper thread, a second at most. */
void mail_cancel(struct mail *m);

#endif
