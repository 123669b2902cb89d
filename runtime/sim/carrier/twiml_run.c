/* SPDX-License-Identifier: Apache-2.0 */
/* Runs TwiML: checks each verb against a table when its turn comes, and hands it out as one step.
 *
 * Happy path
 *   - twiml_read() parses the document; its root is <Response>;
 *   - twiml_next() walks the root's children in order; verbs after a <Redirect>, <Hangup> or
 * <Reject> are never reached.
 *
 * Failure modes
 *   - not well-formed, other root: refused as a whole (12100);
 *   - a verb this network does not run, or a missing noun: TWIML_BAD with code 12200;
 *   - an attribute it does not know: warned, ignored. <Dial> swallows any, silently, as the real
 * one;
 *   - a stream that is not ws or wss (31922), or asks for another track (31941): TWIML_BAD.
 */
#include "sim/carrier/twiml_verbs.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAY_MAX = 4096, PARAMETER_MAX = 500 };

void twiml_give_up(struct twiml *t, int code, const char *fmt, ...)
{
    const char *verb = t->now.verb;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(t->why, sizeof(t->why), fmt, ap);
    va_end(ap);
    t->now = (struct twiml_action){.kind = TWIML_BAD, .verb = verb, .code = code, .text = t->why};
}

bool twiml_all_space(const char *z)
{
    return z[strspn(z, " \t\r\n")] == '\0';
}

/* The text of a URL or number, without the white space around it. Cuts in place. */
const char *twiml_trimmed(char *z)
{
    size_t n;

    z += strspn(z, " \t\r\n");
    n = strlen(z);
    while (n > 0 && strchr(" \t\r\n", z[n - 1]))
        n--;
    z[n] = '\0';
    return z;
}

unsigned twiml_number(struct twiml *t, const struct xml_element *e, const char *name,
                      unsigned otherwise)
{
    const char *z = xml_attr(e, name);
    char *end = NULL;
    unsigned long v;

    if (!z)
        return otherwise;
    v = strtoul(z, &end, 10);
    if (*z < '0' || *z > '9' || *end != '\0' || v > 86400) {
        t->warn(TWILIO_SCHEMA, "an attribute that should be a number is none", t->arg);
        return otherwise;
    }
    return (unsigned)v;
}

void twiml_check_attrs(struct twiml *t, const struct xml_element *e, const char *allowed)
{
    char text[160], padded[80];

    for (size_t i = 0; i < e->n_attrs; i++) {
        snprintf(padded, sizeof(padded), " %s ", e->attrs[i].name);
        if (strstr(allowed, padded))
            continue;
        snprintf(text, sizeof(text), "line %d: <%s> has no attribute %s", e->line, e->name,
                 e->attrs[i].name);
        t->warn(TWILIO_SCHEMA, text, t->arg);
    }
}

static void add_parameter(struct twiml *t, const struct xml_element *e)
{
    const char *name = xml_attr(e, "name"), *value = xml_attr(e, "value");
    struct twiml_action *a = &t->now;

    if (strcmp(e->name, "Parameter") != 0) {
        twiml_give_up(t, TWILIO_SCHEMA, "<Stream> holds <%s>", e->name);
    } else if (!name || !value) {
        twiml_give_up(t, TWILIO_SCHEMA, "<%s> without name or value", e->name);
    } else if (strlen(name) + strlen(value) >= PARAMETER_MAX) {
        twiml_give_up(t, TWILIO_SCHEMA, "<Parameter name=\"%s\"> has 500 characters or more", name);
    } else if (a->n_params == TWIML_PARAMS_MAX) {
        twiml_give_up(t, TWILIO_SCHEMA, "too many <%s>", e->name);
    } else {
        twiml_check_attrs(t, e, " name value ");
        a->params[a->n_params].name = name;
        a->params[a->n_params].value = value;
        a->n_params++;
    }
}

static bool stream_url(struct twiml *t, const struct xml_element *e)
{
    const char *url = xml_attr(e, "url");

    if (!url || (strncmp(url, "wss://", 6) != 0 && strncmp(url, "ws://", 5) != 0)) {
        twiml_give_up(t, TWILIO_NOT_WSS, "<Stream url=\"%s\"> is no wss address", url ? url : "");
        return false;
    }
    if (strchr(url, '?') || strchr(url, '#')) {
        t->warn(TWILIO_NOT_WSS, "the query of a <Stream url> is dropped", t->arg);
        *strpbrk((char *)url, "?#") = '\0';
    }
    t->now.url = url;
    return true;
}

static void on_connect(struct twiml *t, const struct xml_element *e)
{
    const struct xml_element *stream = e->first >= 0 ? &t->doc->elements[e->first] : NULL;
    const char *track;

    twiml_check_attrs(t, e, " action method ");
    if (!stream || strcmp(stream->name, "Stream") != 0 || stream->next >= 0) {
        twiml_give_up(t, TWILIO_SCHEMA, "<%s> needs exactly one <Stream>", e->name);
        return;
    }
    twiml_check_attrs(t, stream, " url name track statusCallback statusCallbackMethod ");
    track = xml_attr(stream, "track");
    if (track && strcmp(track, "inbound_track") != 0) {
        twiml_give_up(t, TWILIO_TRACK, "a stream in both directions has no track \"%s\"", track);
        return;
    }
    t->now.kind = TWIML_STREAM;
    t->now.action = xml_attr(e, "action");
    if (!stream_url(t, stream))
        return;
    for (int c = stream->first; c >= 0 && t->now.kind == TWIML_STREAM; c = t->doc->elements[c].next)
        add_parameter(t, &t->doc->elements[c]);
}

static void on_redirect(struct twiml *t, const struct xml_element *e)
{
    twiml_check_attrs(t, e, " method ");
    t->now.kind = TWIML_REDIRECT;
    t->now.text = twiml_trimmed(e->text);
}

void twiml_on_say(struct twiml *t, const struct xml_element *e)
{
    twiml_check_attrs(t, e, " voice language loop ");
    if (strlen(e->text) > SAY_MAX) {
        twiml_give_up(t, TWILIO_SCHEMA, "<%s> of more than 4096 characters", e->name);
        return;
    }
    t->now.kind = TWIML_SAY;
    t->now.text = twiml_trimmed(e->text);
    t->now.voice = xml_attr(e, "voice");
    t->now.loop = twiml_number(t, e, "loop", 1);
}

void twiml_on_play(struct twiml *t, const struct xml_element *e)
{
    const char *digits = xml_attr(e, "digits");

    twiml_check_attrs(t, e, " loop digits ");
    if (!digits || digits[strspn(digits, "0123456789*#ABCDw")] != '\0' ||
        !twiml_all_space(e->text)) {
        twiml_give_up(t, TWILIO_SCHEMA,
                      "<%s> of anything but digits is not offered by this network", e->name);
        return;
    }
    t->now.kind = TWIML_DIGITS;
    t->now.text = digits;
    t->now.loop = twiml_number(t, e, "loop", 1);
}

void twiml_on_pause(struct twiml *t, const struct xml_element *e)
{
    twiml_check_attrs(t, e, " length ");
    t->now.kind = TWIML_PAUSE;
    t->now.seconds = twiml_number(t, e, "length", 1);
}

static void on_hangup(struct twiml *t, const struct xml_element *e)
{
    twiml_check_attrs(t, e, " ");
    t->now.kind = TWIML_HANGUP;
}

static void on_reject(struct twiml *t, const struct xml_element *e)
{
    const char *reason = xml_attr(e, "reason");

    twiml_check_attrs(t, e, " reason ");
    if (t->started) {
        twiml_give_up(t, TWILIO_SCHEMA, "<%s> is not the first verb", e->name);
        return;
    }
    t->now.kind = TWIML_REJECT;
    t->now.text = reason ? reason : "rejected";
}

static const struct {
    const char *name;
    twiml_verb_fn *run;
} verbs[] = {
    {"Connect", on_connect},     {"Redirect", on_redirect}, {"Say", twiml_on_say},
    {"Play", twiml_on_play},     {"Pause", twiml_on_pause}, {"Dial", twiml_on_dial},
    {"Gather", twiml_on_gather}, {"Hangup", on_hangup},     {"Reject", on_reject},
};

int twiml_read(struct twiml **out, struct rd_str text, twiml_warn_fn *warn, void *arg, char *why,
               size_t cap)
{
    struct twiml *t = calloc(1, sizeof(*t));
    int rc;

    if (!t)
        return -ENOMEM;
    t->warn = warn;
    t->arg = arg;
    why[0] = '\0';
    rc = xml_parse(&t->doc, text, why, cap);
    if (rc)
        goto fail;
    if (strcmp(t->doc->elements[0].name, "Response") != 0) {
        snprintf(why, cap, "the root is <%s>, not <Response>", t->doc->elements[0].name);
        rc = RD_EPROTO;
        goto fail;
    }
    if (!twiml_all_space(t->doc->elements[0].text))
        warn(TWILIO_SCHEMA, "text between the verbs is ignored", arg);
    t->verb = t->doc->elements[0].first;
    *out = t;
    return 0;
fail:
    twiml_free(t);
    return rc;
}

void twiml_free(struct twiml *t)
{
    if (!t)
        return;
    xml_free(t->doc);
    free(t);
}

static void run_verb(struct twiml *t, const struct xml_element *e)
{
    const char *method = xml_attr(e, "method");

    t->now = (struct twiml_action){.verb = e->name, .method = method ? method : "POST"};
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, e->name) == 0) {
            verbs[i].run(t, e);
            return;
        }
    }
    twiml_give_up(t, TWILIO_SCHEMA, "<%s> is no verb this network runs", e->name);
}

const struct twiml_action *twiml_next(struct twiml *t)
{
    const struct xml_element *e;

    if (t->verb < 0) {
        t->now = (struct twiml_action){.kind = TWIML_END, .verb = ""};
        return &t->now;
    }
    e = &t->doc->elements[t->verb];
    t->verb = e->next;
    run_verb(t, e);
    t->started = true;
    switch (t->now.kind) {
    case TWIML_REDIRECT:
    case TWIML_HANGUP:
    case TWIML_REJECT:
    case TWIML_BAD:
        t->verb = -1;
        break;
    default:
        break;
    }
    return &t->now;
}

static bool has_scheme(const char *z)
{
    const char *colon = strstr(z, "://");

    return colon && strcspn(z, "/?#") >= (size_t)(colon - z);
}

int twiml_resolve(char *out, size_t cap, const char *base, const char *ref)
{
    const char *host = strstr(base, "://");
    size_t origin = host ? (size_t)(host - base) + 3 + strcspn(host + 3, "/?#") : 0;
    size_t keep = strcspn(base, "?#");
    int n;

    if (ref[0] == '\0') {
        n = snprintf(out, cap, "%s", base);
    } else if (has_scheme(ref)) {
        n = snprintf(out, cap, "%s", ref);
    } else if (ref[0] == '/') {
        n = snprintf(out, cap, "%.*s%s", (int)origin, base, ref);
    } else {
        while (keep > origin && base[keep - 1] != '/')
            keep--;
        n = snprintf(out, cap, "%.*s%s%s", (int)keep, base, keep == origin ? "/" : "", ref);
    }
    return n >= 0 && (size_t)n < cap ? 0 : RD_ETOOBIG;
}
