/* SPDX-License-Identifier: Apache-2.0 */
/* double.c - the Vapi double as a whole: listens, keeps its books, comes and goes.
 *
 *   accepter's thread ─fd▶ mailbox ─▶ loop: HTTP ─▶ rest.c ─▶ calls, numbers, assistants, inbound, control
 *                                            └▶ line.c ⇄ WebSocket ⇄ voice.c ─▶ loop_work: speak, recognise
 *                                                                      └▶ hook.c ─▶ the node's server URL
 *
 *   - a call is kept until the double stops: it can be asked for afterwards
 *   - after vapi_double_stop() it lives until its last piece of slow work is back
 *   - the address is taken, a word of the options unknown, espeak-ng missing: a sentence, and nothing is left */
#include "sim/vapi/double.h"

#include "base/err.h"
#include "base/now.h"
#include "io/accepter.h"
#include "sim/listener.h"
#include "sim/vapi/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 1024, BODY_MAX = 1 << 20 };

/* In one write: other doubles append to the same file, and an answer may be long. */
static void write_line(FILE *log, const json_t *fact)
{
    char *text = json_dumps(fact, JSON_COMPACT);
    size_t n = text ? strlen(text) : 0;

    if (text) {
        text[n] = '\n'; /* where the end was */
        (void)fwrite(text, 1, n + 1, log);
    }
    free(text);
}

void vapi_note(struct vapi_double *d, const char *ev, json_t *fact)
{
    if (d->log && fact) {
        json_object_set_new(fact, "ev", json_string(ev));
        json_object_set_new(fact, "unix_ms", json_integer((json_int_t)unix_ms()));
        write_line(d->log, fact);
    }
    json_decref(fact);
}

static void on_request(struct http_request *r, void *arg)
{
    vapi_request(arg, r);
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)arg;
    vapi_later_gone(r);
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    return vapi_upgrade(arg, r, accept);
}

static const struct http_handlers handlers = {
    .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};

/* ---- what is there from the start ---- */

static int seed(struct vapi_double *d, const char *account)
{
    json_t *assistant =
        json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:[{s:s, s:s}]}, s:{s:s, s:s}}", "id",
                  VAPI_DOUBLE_ASSISTANT, "name", "Front desk", "firstMessage",
                  "Hello, you have reached the front desk. How can I help?", "model", "provider",
                  "openai", "model", "gpt-4o", "messages", "role", "system", "content",
                  "You are the front desk of a plumbing company.", "voice", "provider", "vapi",
                  "voiceId", "Elliot");
    json_t *number = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "id", VAPI_DOUBLE_NUMBER_ID, "provider",
        "twilio", "number", VAPI_DOUBLE_NUMBER, "twilioAccountSid", account, "name", "front desk",
        "assistantId", VAPI_DOUBLE_ASSISTANT, "status", "active", "smsEnabled", 0);

    if (!assistant || !number)
        return -ENOMEM;
    vapi_stamp(assistant, true);
    vapi_stamp(number, true);
    json_array_append_new(d->assistants, assistant);
    json_array_append_new(d->numbers, number);
    return 0;
}

/* ---- start and stop ---- */

static int read_options(struct vapi_double *d, const struct vapi_double_opts *o, char *why,
                        size_t cap)
{
    int rc = vapi_faults_read(&d->faults, o->fault, why, cap);

    if (rc)
        return rc;
    if (vapi_sign_read(&d->sign, o->sign, o->secret ? o->secret : VAPI_DOUBLE_SECRET)) {
        snprintf(why, cap,
                 "--vapi-sign: \"%s\" is none of bearer, secret, hmac, hmac-base64, hmac-prefix, "
                 "hmac-ms, none",
                 o->sign);
        return RD_ECONFIG;
    }
    if (o->server)
        json_object_set_new(d->server, "url", json_string(o->server));
    return 0;
}

static int open_log(struct vapi_double *d, const char *path, char *why, size_t cap)
{
    if (!path)
        return 0;
    d->log = fopen(path, "ae"); /* others may write there, too */
    if (!d->log) {
        int err = errno;
        snprintf(why, cap, "%s: %s", path, rd_strerror(-err));
        return -err;
    }
    setvbuf(d->log, NULL, _IONBF, 0);
    return 0;
}

static int listen_at(struct vapi_double *d, const struct vapi_double_opts *o, char *why, size_t cap)
{
    struct http_server_opts h = {.loop = o->loop,
                                 .handlers = &handlers,
                                 .arg = d,
                                 .max_body = BODY_MAX,
                                 .max_connections = CONNECTIONS_MAX};
    int fd;
    int rc = listen_tcp(&fd, o->listen, why, cap);

    rc = rc ? rc : listener_start(&d->listener, &h, fd);
    if (rc == 0)
        snprintf(d->origin, sizeof(d->origin), "127.0.0.1:%u", listener_port(d->listener));
    return rc;
}

int vapi_double_start(struct vapi_double **out, const struct vapi_double_opts *o, char *why,
                      size_t cap)
{
    struct vapi_double *d = calloc(1, sizeof(*d));
    int rc;

    if (!d)
        return -ENOMEM;
    d->loop = o->loop;
    d->assistants = json_array();
    d->numbers = json_array();
    d->hooked = json_array();
    d->server = json_object();
    rc = read_options(d, o, why, cap);
    rc = rc ? rc : open_log(d, o->log, why, cap);
    if (rc == 0)
        snprintf(why, cap, "out of memory");
    rc = rc ? rc : seed(d, o->account);
    rc = rc ? rc : openai_script_new(&d->script, o->scenarios, o->n_scenarios, why, cap);
    rc = rc ? rc : http_client_new(&d->http, o->loop, o->ca_file);
    rc = rc ? rc : listen_at(d, o, why, cap);
    if (rc) {
        vapi_double_stop(d);
        return rc;
    }
    *out = d;
    return 0;
}

void vapi_double_free_if_over(struct vapi_double *d)
{
    if (!d->stopped || d->jobs > 0)
        return;
    while (d->calls) {
        struct vapi_call *c = d->calls;
        d->calls = c->next;
        vapi_call_free(c);
    }
    openai_script_free(d->script);
    json_decref(d->assistants);
    json_decref(d->numbers);
    json_decref(d->hooked);
    json_decref(d->server);
    if (d->log)
        fclose(d->log);
    free(d);
}

void vapi_double_stop(struct vapi_double *d)
{
    if (!d)
        return;
    d->stopped = true;
    listener_stop(d->listener);
    d->listener = NULL;
    vapi_later_stop(d);
    vapi_hooks_stop(d);
    for (struct vapi_call *c = d->calls; c; c = c->next) {
        vapi_voice_stop(c);
        vapi_line_drop(c);
    }
    if (d->http)
        http_client_free(d->http);
    d->http = NULL;
    vapi_double_free_if_over(d);
}

uint16_t vapi_double_port(const struct vapi_double *d)
{
    return listener_port(d->listener);
}
