/* SPDX-License-Identifier: Apache-2.0 */
/* calls_act.c - hang up, transfer, whisper: one request, and for a transfer what came of it.
 *
 * The node takes a wish at once; a transfer is decided elsewhere (the agent's people, Twilio), so
 * its outcome is read from the call's events: refused, or the call ended by it. 10 s are waited.
 *
 * Failure modes: no node, no such call, a wish that makes no sense: said with the remedy, exit 1;
 * wrong arguments: exit 2, nothing was tried. */
#include "cli/calls_act.h"

#include "base/json.h"
#include "base/json_out.h"
#include "base/now.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 10000, REASON_MAX = 512 };

static const char usage[] =
    "usage: ringdown calls hang-up CALL\n"
    "       ringdown calls transfer CALL --to NUMBER or NAME\n"
    "       ringdown calls whisper CALL \"what the model shall know\" [--now]\n\n"
    "Acts on a call in progress; ringdown calls lists them. hang-up ends it once what is being "
    "said\n"
    "was heard, or at once when its caller is with somebody else. transfer has Twilio dial a "
    "number\n"
    "(+13125550142) or one of the agent's people (office); when nobody answers, the caller is "
    "back\n"
    "with the agent. whisper tells the model something that the caller does not hear; it shapes "
    "the\n"
    "next answer, with --now the model answers at once. --json prints the node's answer. Exit "
    "code\n"
    "1 when it did not work.\n";

struct act {
    const char *verb, *call, *to, *text;
    bool now, json;
    const struct settings *settings;
};

bool calls_is_verb(const char *word)
{
    return strcmp(word, "hang-up") == 0 || strcmp(word, "transfer") == 0 ||
           strcmp(word, "whisper") == 0;
}

bool calls_is_id(const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)word[i]) && word[i] != '_' && word[i] != '-')
            return false;
    return n > 0 && n <= 64;
}

/* ---- asking ---- */

static int add_body(struct buf *out, const struct act *a)
{
    int rc;

    if (strcmp(a->verb, "hang-up") == 0)
        return 0;
    rc = buf_add_str(out, "{");
    if (!rc)
        rc = json_members(out, JSON_MEMBERS(J_STR("to", a->to), J_STR("text", a->text)), true);
    if (rc >= 0)
        rc = buf_add_str(out, a->now ? ",\"now\":true}" : "}");
    return rc;
}

/* The node's answer in `answer`; false after a complaint. */
static bool ask(const struct act *a, struct buf *answer)
{
    char target[160], why[REASON_MAX] = "";
    struct buf body;
    int http;

    (void)snprintf(target, sizeof(target), "/api/v1/calls/%s/%s", a->call, a->verb);
    buf_init(&body, 16 << 10);
    if (add_body(&body, a)) {
        fprintf(stderr, "ringdown calls: more than a whisper: at most 2000 bytes\n");
        buf_fini(&body);
        return false;
    }
    http =
        client_send(a->settings->data, "POST", target,
                    (struct rd_str){body.data ? body.data : "", body.n}, answer, why, sizeof(why));
    buf_fini(&body);
    if (http == 202)
        return true;
    if (http == 404)
        fprintf(stderr, "ringdown calls: no call %s is in progress; ringdown calls lists them\n",
                a->call);
    else
        client_complain("calls", http, answer, why);
    return false;
}

/* ---- what came of a transfer ---- */

enum outcome { NOT_YET, TRANSFERRED, REFUSED, OVER, UNKNOWN };

static enum outcome outcome_of(const struct act *a, const struct json_value *event, char *why,
                               size_t cap)
{
    struct json_value call = json_get(event, "call"), type = json_get(event, "type");
    struct json_value state = json_get(event, "state"), reason = json_get(event, "reason");
    struct json_value said = json_get(event, "why");

    if (!json_is(&call, a->call))
        return NOT_YET;
    if (json_is(&type, "transfer") && json_is(&state, "refused")) {
        if (json_copy(&said, why, cap))
            (void)snprintf(why, cap, "no reason given");
        return REFUSED;
    }
    if (!json_is(&type, "ended"))
        return NOT_YET;
    if (json_copy(&reason, why, cap))
        (void)snprintf(why, cap, "no reason given");
    return json_is(&reason, "transferred") ? TRANSFERRED : OVER;
}

/* The first event that decides; `after` moves behind those that were looked at. */
static enum outcome look(const struct act *a, const struct buf *events, uint64_t *after, char *why,
                         size_t cap)
{
    struct json_value list, event, number;
    enum outcome found = NOT_YET;
    struct json_iter it;
    struct rd_str key;

    if (json_parse((struct rd_str){events->data, events->n}, &list) || list.type != JSON_ARRAY)
        return UNKNOWN;
    json_iter_init(&it, &list);
    while (found == NOT_YET && json_next(&it, &key, &event)) {
        number = json_get(&event, "event");
        (void)json_u64(&number, after);
        found = outcome_of(a, &event, why, cap);
    }
    return found;
}

static enum outcome wait_for_outcome(const struct act *a, uint64_t after, char *why, size_t cap)
{
    uint64_t until = monotonic_ms() + WAIT_MS, now;
    enum outcome found = NOT_YET;
    char target[96];
    struct buf body;

    buf_init(&body, CLIENT_BODY_MAX);
    while (found == NOT_YET && (now = monotonic_ms()) < until) {
        buf_clear(&body);
        (void)snprintf(target, sizeof(target), "/api/v1/events?after=%" PRIu64 "&wait_ms=%" PRIu64,
                       after, until - now);
        if (client_request(a->settings->data, "GET", target, &body, why, cap) == 200)
            found = look(a, &body, &after, why, cap);
        else
            found = UNKNOWN;
    }
    buf_fini(&body);
    return found == NOT_YET ? UNKNOWN : found;
}

static int tell_outcome(const struct act *a, enum outcome outcome, const char *why)
{
    switch (outcome) {
    case TRANSFERRED:
        if (!a->json)
            printf("%s: Twilio dials %s. When nobody answers, the caller hears the number's "
                   "fallback.\n",
                   a->call, a->to);
        return EXIT_OK;
    case REFUSED:
        fprintf(stderr, "ringdown calls: not transferred: %s; the call goes on\n", why);
        return EXIT_FAILED;
    case OVER:
        fprintf(stderr, "ringdown calls: the call ended first (%s); nobody was dialled\n", why);
        return EXIT_FAILED;
    default:
        fprintf(stderr,
                "ringdown calls: asked, and nothing came back within 10 s; ringdown calls %s shows "
                "what becomes of it\n",
                a->call);
        return EXIT_FAILED;
    }
}

static int transferred(const struct act *a, const struct buf *answer)
{
    struct json_value root, number;
    char why[REASON_MAX] = "";
    uint64_t after = 0;

    if (json_parse((struct rd_str){answer->data, answer->n}, &root) == 0) {
        number = json_get(&root, "after");
        (void)json_u64(&number, &after);
    }
    if (!a->json) {
        printf("%s: asking Twilio to dial %s.\n", a->call, a->to);
        fflush(stdout);
    }
    return tell_outcome(a, wait_for_outcome(a, after, why, sizeof(why)), why);
}

/* ---- the command ---- */

static int act(const struct act *a)
{
    struct buf answer;
    int code = EXIT_FAILED;

    buf_init(&answer, CLIENT_BODY_MAX);
    if (ask(a, &answer)) {
        code = EXIT_OK;
        if (a->json)
            printf("%.*s\n", (int)answer.n, answer.data);
        else if (strcmp(a->verb, "hang-up") == 0)
            printf("%s: ends once what is being said was heard; at once if its caller is with "
                   "somebody else.\n",
                   a->call);
        else if (strcmp(a->verb, "whisper") == 0)
            printf("%s: the model knows; %s.\n", a->call,
                   a->now ? "it answers as soon as nobody speaks" : "its next answer follows it");
        if (a->to)
            code = transferred(a, &answer);
    }
    buf_fini(&answer);
    return code;
}

/* False after a complaint: what is missing, or does not belong to the verb. */
static bool is_whole(const struct act *a, int n_words)
{
    bool whisper = strcmp(a->verb, "whisper") == 0, transfer = strcmp(a->verb, "transfer") == 0;
    const char *lacks = NULL;

    if (!a->call || !calls_is_id(a->call))
        lacks = "which call: ringdown calls lists them";
    else if (transfer && !a->to)
        lacks = "to whom: --to +13125550142, or --to office";
    else if (whisper && !a->text)
        lacks = "what the model shall know, as one word in quotes";
    else if (!whisper && (n_words > 1 || a->now))
        lacks = "nothing but the call; text and --now are for whisper";
    else if (!transfer && a->to)
        lacks = "no --to; that is for transfer";
    if (lacks)
        fprintf(stderr, "ringdown calls %s: needs %s; see: ringdown calls %s --help\n", a->verb,
                lacks, a->verb);
    return !lacks;
}

int calls_act(int argc, char **argv)
{
    struct act a = {.verb = argv[0]};
    const struct option_switch switches[] = {{"now", &a.now}, {NULL, NULL}};
    const struct option_value values[] = {{"to", &a.to}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .values = values, .max_words = 2};
    struct settings *s = NULL;
    char command[32];
    int code = EXIT_OK;

    (void)snprintf(command, sizeof(command), "calls %s", a.verb);
    argv[0] = command; /* so complaints name it */
    if (!options_read(&o, argc, argv, &code))
        return code;
    a.call = o.n_words > 0 ? o.words[0] : NULL;
    a.text = o.n_words > 1 ? o.words[1] : NULL;
    a.json = o.json;
    if (!is_whole(&a, o.n_words))
        return EXIT_USAGE;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    a.settings = s;
    code = act(&a);
    settings_free(s);
    return code;
}
