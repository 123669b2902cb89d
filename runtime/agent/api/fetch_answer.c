/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_answer.c - status, headers and body as a table; header names in lower case, what comes twice
 * joined. Secrets that were sent have stars in their place. */
#include "agent/api/fetch_answer.h"

#include "agent/api/api.h"
#include "base/err.h"
#include "base/now.h"
#include "base/retry.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum { MASKED_MIN = 4 /* shorter ones would star half of the text */ };

static void mask(const struct buf *masks, char *text, size_t n)
{
    for (size_t at = 0; at < masks->n; at += strlen(masks->data + at) + 1) {
        const char *value = masks->data + at;
        size_t k = strlen(value);
        char *found = text;

        while (k >= MASKED_MIN &&
               (found = memmem(found, n - (size_t)(found - text), value, k)) != NULL)
            memset(found, '*', k);
    }
}

static void push_masked(lua_State *L, const struct buf *masks, struct rd_str text)
{
    luaL_Buffer b;
    char *copy = luaL_buffinitsize(L, &b, text.n + 1);

    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    mask(masks, copy, text.n);
    luaL_pushresultsize(&b, text.n);
}

/* Sets field name (in lower case) of the table on top; what comes twice is joined. */
static void add_header(lua_State *L, const struct buf *masks, struct rd_str name,
                       struct rd_str value)
{
    char key[128];

    if (name.n == 0 || memchr(name.p, '\0', name.n) || !rd_str_copy(key, sizeof(key), name))
        return;
    for (char *p = key; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    push_masked(L, masks, value);
    if (lua_getfield(L, -2, key) == LUA_TSTRING) {
        lua_pushliteral(L, ", ");
        lua_pushvalue(L, -3);
        lua_concat(L, 3);
        lua_remove(L, -2);
    } else {
        lua_pop(L, 1);
    }
    lua_setfield(L, -2, key);
}

static struct rd_str trimmed(const char *p, size_t n)
{
    while (n > 0 && isspace((unsigned char)*p)) {
        p++;
        n--;
    }
    while (n > 0 && isspace((unsigned char)p[n - 1]))
        n--;
    return (struct rd_str){p, n};
}

static void push_headers(lua_State *L, const struct buf *masks, struct rd_str head)
{
    const char *end = head.p + head.n;

    lua_newtable(L);
    while (head.p < end) {
        const char *line_end = memchr(head.p, '\n', (size_t)(end - head.p));
        const char *colon;

        line_end = line_end ? line_end : end;
        colon = memchr(head.p, ':', (size_t)(line_end - head.p));
        if (colon)
            add_header(L, masks, trimmed(head.p, (size_t)(colon - head.p)),
                       trimmed(colon + 1, (size_t)(line_end - colon - 1)));
        head.p = line_end + (line_end < end);
    }
}

static const char *code_of(const struct http_result *r)
{
    if (r->err == -EACCES)
        return "refused";
    return r->err == -ECONNREFUSED || r->err == RD_ETLS ? "not_sent" : "unknown";
}

int fetch_push_answer(lua_State *L, const struct http_result *r, const struct buf *masks)
{
    if (r->err)
        return api_push_failure(L, r->text ? r->text : rd_strerror(r->err), code_of(r));
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, r->status);
    lua_setfield(L, -2, "status");
    push_masked(L, masks, r->body);
    lua_setfield(L, -2, "body");
    push_headers(L, masks, r->head);
    lua_setfield(L, -2, "headers");
    lua_pushinteger(L, retry_after_ms(r->retry_after, unix_ms()));
    lua_setfield(L, -2, "retry_after_ms");
    lua_pushnil(L);
    lua_pushnil(L);
    return 3;
}
