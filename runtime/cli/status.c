/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - `ringdown status`: what the node on this data folder is doing, on one screen. The node
 * answers with one JSON object; each member becomes a line, lists and objects are told in words, so
 * that a fact the node learns to tell is shown without a change here. */
#include "base/json.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown status [--json] [--config FILE]\n\n"
    "Asks the node that serves this data folder how it is: what it answers, how many calls it\n"
    "has, its threads and agents. Exit code 1 when no node answers.\n";

enum { INDENT_STEP = 2, DEPTH_MAX = 6 };

/* A name as people write it: max_calls -> max calls. */
static void add_name(struct buf *out, struct rd_str key)
{
    for (size_t i = 0; i < key.n; i++)
        buf_add(out, key.p[i] == '_' || key.p[i] == '.' ? " " : &key.p[i], 1);
}

static bool is_plain(const struct json_value *v)
{
    return v->type != JSON_OBJECT && v->type != JSON_ARRAY;
}

static void add_value(struct buf *out, const struct json_value *v)
{
    struct buf one;
    int rc;

    buf_init(&one, 64 << 10);
    rc = v->type == JSON_STRING ? json_unescape(v, &one) : buf_add(&one, v->raw.p, v->raw.n);
    for (size_t i = 0; !rc && i < one.n; i++)
        buf_add(out, (unsigned char)one.data[i] < 0x20 ? " " : &one.data[i], 1);
    buf_fini(&one);
}

static void add_members(struct buf *out, const struct json_value *object, int depth);

static void add_list(struct buf *out, const struct json_value *list, int depth)
{
    struct json_iter it;
    struct rd_str key;
    struct json_value v;
    bool first = true;

    json_iter_init(&it, list);
    while (json_next(&it, &key, &v)) {
        if (v.type == JSON_OBJECT && depth < DEPTH_MAX) {
            buf_add_str(out, "\n");
            add_members(out, &v, depth);
            continue;
        }
        buf_add_str(out, first ? "" : ", ");
        add_value(out, &v);
        first = false;
    }
    if (out->n > 0 && out->data[out->n - 1] != '\n')
        buf_add_str(out, first ? "none\n" : "\n");
}

/* Depth is bounded by DEPTH_MAX, whatever the node sends. */
static void add_members(struct buf *out, const struct json_value *object, int depth)
{
    struct json_iter it;
    struct rd_str key;
    struct json_value v;

    json_iter_init(&it, object);
    while (json_next(&it, &key, &v)) {
        size_t start = out->n;

        buf_addf(out, "%*s", depth * INDENT_STEP, "");
        add_name(out, key);
        while (out->n - start < 20)
            if (buf_add_str(out, " ") != 0)
                return;
        if (is_plain(&v)) {
            add_value(out, &v);
            buf_add_str(out, "\n");
        } else if (v.type == JSON_ARRAY) {
            add_list(out, &v, depth + 1);
        } else if (depth < DEPTH_MAX) {
            buf_add_str(out, "\n");
            add_members(out, &v, depth + 1);
        }
    }
}

static int print_status(const struct buf *body, bool as_json)
{
    struct json_value v;
    struct buf text;

    if (as_json) {
        printf("%.*s\n", (int)body->n, body->data);
        return EXIT_OK;
    }
    if (json_parse((struct rd_str){body->data, body->n}, &v) != 0 || v.type != JSON_OBJECT) {
        fputs("ringdown status: the node's answer cannot be read; are both of one version?\n",
              stderr);
        return EXIT_FAILED;
    }
    buf_init(&text, CLIENT_BODY_MAX);
    add_members(&text, &v, 0);
    fwrite(text.data, 1, text.n, stdout);
    buf_fini(&text);
    return EXIT_OK;
}

int cmd_status(int argc, char **argv)
{
    struct options o = {.usage = usage};
    struct settings *s = NULL;
    struct buf body;
    char why[512];
    int code = EXIT_OK, http;

    if (!options_read(&o, argc, argv, &code))
        return code;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    buf_init(&body, CLIENT_BODY_MAX);
    http = client_request(s->data, "GET", "/api/v1/status", &body, why, sizeof(why));
    if (http == 200) {
        code = print_status(&body, o.json);
    } else {
        client_complain("status", http, &body, why);
        code = EXIT_FAILED;
    }
    buf_fini(&body);
    settings_free(s);
    return code;
}
