/* SPDX-License-Identifier: Apache-2.0 */
/* log_route.c - reads an order about the log, has it carried out, and tells how the log is now. */
#include "control/log_route.h"

#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "gateway/node_log.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 8192, NUMBER_MAX = 12, LEVEL_MAX = 16 };

static void refuse(struct http_request *r, int status, const char *error, const char *fix)
{
    struct buf out;

    buf_init(&out, ANSWER_MAX);
    if (json_add_object(&out, JSON_MEMBERS(J_STR("error", error), J_STR("fix", fix))) == 0)
        http_reply(r, status, "application/json", (struct rd_str){out.data, out.n});
    else
        http_reply(r, 503, "application/json", RD_STR("{}"));
    buf_fini(&out);
}

static void tell(struct http_request *r)
{
    struct buf out;

    buf_init(&out, ANSWER_MAX);
    if (node_log_json(&out) == 0)
        http_reply(r, 200, "application/json", (struct rd_str){out.data, out.n});
    else
        http_reply(r, 503, "application/json", RD_STR("{}"));
    buf_fini(&out);
}

/* A call is what a carrier names so: letters and digits, so that nothing else gets into the log. */
static bool read_call(const struct json_value *v, char *out, size_t cap)
{
    return json_copy(v, out, cap) == 0 && *out &&
           strspn(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
               strlen(out);
}

static bool read_order(struct rd_str body, struct node_log_order *o, char *call, char *level)
{
    struct json_value root, v;
    char seconds[NUMBER_MAX];

    if (json_parse(body, &root) || root.type != JSON_OBJECT)
        return false;
    v = json_get(&root, "seconds");
    if (v.type != JSON_NUMBER || !rd_str_copy(seconds, sizeof(seconds), v.raw) ||
        strspn(seconds, "0123456789") != strlen(seconds))
        return false;
    o->seconds = strtoull(seconds, NULL, 10);
    v = json_get(&root, "call");
    if (v.type != JSON_NONE) {
        o->call = call;
        return v.type == JSON_STRING && read_call(&v, call, LOG_WATCH_CALL);
    }
    v = json_get(&root, "level");
    return v.type == JSON_STRING && json_copy(&v, level, LEVEL_MAX) == 0 &&
           log_level_parse(level, &o->level) == 0;
}

static void change(struct http_request *r, struct node *n, const char *who)
{
    char call[LOG_WATCH_CALL], level[LEVEL_MAX];
    struct node_log_order o = {.who = who};
    int rc;

    if (!read_order(http_body(r), &o, call, level)) {
        refuse(r, 400, "what shall the log show, and for how long?",
               "send {\"level\":\"debug\",\"seconds\":600} or {\"call\":\"CA…\",\"seconds\":600}");
        return;
    }
    rc = node_log(n, &o);
    if (rc == RD_EFULL)
        refuse(r, 409, "eight calls are watched already",
               "end one of them: ringdown log off --call CA…; ringdown log lists them");
    else if (rc)
        refuse(r, 400, "that is too long", "a call for an hour at most, a level for a day");
    else
        tell(r);
}

bool log_serve(struct http_request *r, struct node *n, const char *who)
{
    if (!rd_str_eq(http_path(r), RD_STR("/api/v1/log")))
        return false;
    if (rd_str_eq(http_method(r), RD_STR("GET")))
        tell(r);
    else if (rd_str_eq(http_method(r), RD_STR("POST")))
        change(r, n, who);
    else
        refuse(r, 405, "this path takes GET and POST", "GET reads; POST acts");
    return true;
}
