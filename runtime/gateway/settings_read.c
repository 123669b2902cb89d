/* SPDX-License-Identifier: Apache-2.0 */
/* settings_read.c - gets texts from the configuration file and the environment, and collects every
 * mistake on the way.
 *
 *   ringdown.lua --VM--> nested table --walk--> values[]  <--over it-- NAME=, NAME_FILE=
 *
 * - the file runs in a bare VM: no modules, no files, bounded time and memory
 * - an unknown key gets the nearest known one; a wrong type what is expected
 * - a file that does not compile or run is one complaint with Lua's own line */
#include "base/err.h"
#include "base/nearest.h"
#include "gateway/settings_table.h"
#include "lua/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MAX_BYTES = 1 << 20,
    SECRET_MAX_BYTES = 64 << 10,
    DEPTH_MAX = 4,
    COMPLAINTS_MAX = 100,
    ENV_LINE = 1 << 30 /* complaints that belong to no line come last */
};

/* What Lua calls the file. */
#define CHUNK "ringdown.lua"

struct reading {
    const char *file; /* as it was given, and as complaints show it */
    char *source;
    struct setting_value *values;
    struct complaints *complaints;
};

void complain(struct complaints *c, int line, const char *fmt, ...)
{
    struct complaint *more;
    char *text = NULL;
    va_list ap;
    int n;

    if (c->n >= COMPLAINTS_MAX)
        return;
    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    more = n < 0 ? NULL : realloc(c->v, (c->n + 1) * sizeof(*more));
    if (!more) {
        if (n >= 0)
            free(text);
        c->lost = true;
        return;
    }
    c->v = more;
    c->v[c->n] = (struct complaint){line > 0 ? line : ENV_LINE, (int)c->n, text};
    c->n++;
}

size_t complaints_count(const struct complaints *c)
{
    return c->n + c->lost;
}

static int by_line(const void *a, const void *b)
{
    const struct complaint *x = a, *y = b;

    return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
                              : (x->order > y->order) - (x->order < y->order);
}

int complaints_flush(struct complaints *c, struct buf *out)
{
    int rc = 0;

    if (c->n > 0)
        qsort(c->v, c->n, sizeof(*c->v), by_line);
    for (size_t i = 0; i < c->n; i++) {
        if (!rc)
            rc = buf_addf(out, "%s\n", c->v[i].text);
        free(c->v[i].text);
    }
    if (c->lost && !rc)
        rc = buf_add_str(out, "(more mistakes than memory to tell them)\n");
    free(c->v);
    *c = (struct complaints){0};
    return rc;
}

void setting_where(const struct setting *s, const struct setting_origin *o, const char *file,
                   char *out, size_t cap)
{
    if (o->from == ORIGIN_ENV)
        snprintf(out, cap, "%s", s->env);
    else if (o->from == ORIGIN_SECRET_FILE)
        snprintf(out, cap, "%s_FILE", s->env);
    else if (o->from == ORIGIN_FILE && o->line > 0)
        snprintf(out, cap, "%s:%d: %s", file, o->line, s->key);
    else if (o->from == ORIGIN_FILE)
        snprintf(out, cap, "%s: %s", file, s->key);
    else
        snprintf(out, cap, "%s", s->key);
}

/* The whole file, terminated; at most `max` bytes. -errno, RD_ETOOBIG. */
static int read_text(const char *path, size_t max, char **out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    size_t n = 0;
    char *text;

    if (fd < 0)
        return -errno;
    text = malloc(max + 1);
    if (!text)
        rc = -ENOMEM;
    while (!rc) {
        ssize_t got = read(fd, text + n, max + 1 - n);

        if (got < 0)
            rc = errno == EINTR ? 0 : -errno;
        else if (got == 0)
            break;
        else if ((n += (size_t)got) > max)
            rc = RD_ETOOBIG;
    }
    close(fd);
    if (rc) {
        free(text);
        return rc;
    }
    text[n] = '\0';
    *out = text;
    return 0;
}

static int put(struct setting_value *v, const char *text, enum origin from, int line)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(v->text);
    *v = (struct setting_value){.text = copy, .origin = {from, line}};
    return 0;
}

/* ---- the file ---- */

static void complain_key(struct reading *r, const char *path, const char *what, const char *more)
{
    int line = settings_line(r->source, path);

    if (line > 0)
        complain(r->complaints, line, "%s:%d: %s: %s%s", r->file, line, path, what, more);
    else
        complain(r->complaints, line, "%s: %s: %s%s", r->file, path, what, more);
}

static void complain_unknown(struct reading *r, const char *path)
{
    struct nearest near;
    size_t n;
    const struct setting *all = settings_table(&n);
    const char *dot = strrchr(path, '.');
    char meant[64];

    nearest_init(&near, path);
    for (size_t i = 0; i < n; i++)
        nearest_offer(&near, all[i].key);
    for (size_t i = 0; i < n && !near.best; i++) { /* right word, wrong place */
        const char *key_dot = strrchr(all[i].key, '.');

        if (strcmp(key_dot ? key_dot + 1 : all[i].key, dot ? dot + 1 : path) == 0)
            near.best = all[i].key;
    }
    if (near.best) {
        snprintf(meant, sizeof(meant), "%s?", near.best);
        complain_key(r, path, "unknown key; did you mean ", meant);
    } else {
        complain_key(r, path, "unknown key", "; see examples/ringdown.lua for all of them");
    }
}

/* A list of one or two strings on top of the stack becomes "a,b". */
static int take_list(struct reading *r, lua_State *L, const char *path, struct setting_value *v)
{
    size_t n = (size_t)lua_rawlen(L, -1);
    char text[1024] = "";
    size_t used = 0;

    for (size_t i = 1; i <= n; i++) {
        const char *one =
            lua_rawgeti(L, -1, (lua_Integer)i) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        int more =
            one ? snprintf(text + used, sizeof(text) - used, "%s%s", i > 1 ? "," : "", one) : -1;

        lua_pop(L, 1);
        if (more < 0 || n > 2 || used + (size_t)more >= sizeof(text)) {
            complain_key(r, path, "allowed: one token, or a list of two", "");
            v->bad = true;
            return 0;
        }
        used += (size_t)more;
    }
    return put(v, text, ORIGIN_FILE, settings_line(r->source, path));
}

static bool is_one_line(const char *text, size_t n)
{
    return strlen(text) == n && !strpbrk(text, "\r\n");
}

/* A table of texts on top of the stack becomes "name=text" lines, in no particular order. */
static int take_map(struct reading *r, lua_State *L, const char *path, struct setting_value *v)
{
    struct buf text;
    int rc = 0;

    buf_init(&text, FILE_MAX_BYTES);
    lua_pushnil(L);
    while (!rc && lua_next(L, -2)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;

        if (!*key || strpbrk(key, "=\r\n") || !value || !is_one_line(value, lua_rawlen(L, -1))) {
            complain_key(r, path, "allowed: names with texts of one line, as in ",
                         "{ NAME = \"text\" }");
            v->bad = true;
        } else {
            rc = buf_addf(&text, "%s%s=%s", text.n ? "\n" : "", key, value);
        }
        lua_pop(L, 1);
    }
    if (!rc && !v->bad)
        rc = buf_text(&text) ? put(v, text.data, ORIGIN_FILE, settings_line(r->source, path))
                             : -ENOMEM;
    buf_fini(&text);
    return rc;
}

/* A list of tables on top of the stack becomes JSON. */
static int take_tables(struct reading *r, lua_State *L, const char *path, struct setting_value *v)
{
    struct buf text;
    int rc;

    buf_init(&text, FILE_MAX_BYTES);
    rc = lua_istable(L, -1) ? settings_list_json(L, &text) : RD_EPROTO;
    if (rc == RD_EPROTO || rc == RD_ETOOBIG) {
        complain_key(r, path, "must be a list of tables of texts and numbers, as in ",
                     "{ { name = \"ops\" } }");
        v->bad = true;
        rc = 0;
    } else if (!rc) {
        rc = buf_text(&text) ? put(v, text.data, ORIGIN_FILE, settings_line(r->source, path))
                             : -ENOMEM;
    }
    buf_fini(&text);
    return rc;
}

/* In the environment, a comma ends an entry. */
static void split_entries(const struct setting *s, struct setting_value *v)
{
    for (char *p = s->type == SETTING_MAP ? v->text : NULL; p && *p; p++)
        if (*p == ',')
            *p = '\n';
}

/* The value on top of the stack belongs to the setting. */
static int take_value(struct reading *r, lua_State *L, const char *path, int index)
{
    size_t n;
    const struct setting *s = &settings_table(&n)[index];
    struct setting_value *v = &r->values[index];
    int type = lua_type(L, -1);
    char number[32];

    if (s->type == SETTING_TOKENS && type == LUA_TTABLE)
        return take_list(r, L, path, v);
    if (s->type == SETTING_MAP) {
        if (type == LUA_TTABLE)
            return take_map(r, L, path, v);
        v->bad = true;
        complain_key(r, path, "must be a table of names and texts, as in ", "{ NAME = \"text\" }");
        return 0;
    }
    if (s->type == SETTING_LIST)
        return take_tables(r, L, path, v);
    if (s->type == SETTING_NUMBER && lua_isinteger(L, -1)) {
        snprintf(number, sizeof(number), "%lld", (long long)lua_tointeger(L, -1));
        return put(v, number, ORIGIN_FILE, settings_line(r->source, path));
    }
    if (s->type != SETTING_NUMBER && type == LUA_TSTRING) {
        const char *text = lua_tostring(L, -1);

        if (strlen(text) == (size_t)lua_rawlen(L, -1))
            return put(v, text, ORIGIN_FILE, settings_line(r->source, path));
    }
    v->bad = true;
    if (s->type == SETTING_NUMBER) {
        snprintf(number, sizeof(number), "%d to %d", s->min, s->max);
        complain_key(r, path, "must be a whole number (without quotes) from ", number);
    } else if (s->allowed && s->type == SETTING_CHOICE) {
        complain_key(r, path, "must be text in quotes, one of: ", s->allowed);
    } else {
        complain_key(r, path, "must be text in quotes; it is a ", lua_typename(L, type));
    }
    return 0;
}

/* Walks the table on top of the stack. Depth is bounded, keys come from lua_next. */
static int walk(struct reading *r, lua_State *L, const char *prefix, int depth)
{
    char path[128];
    int rc = 0;

    lua_pushnil(L);
    while (!rc && lua_next(L, -2)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        int n = key ? snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", key) : 0;
        int index = key ? setting_find(path) : -1;

        if (!key)
            complain_key(r, *prefix ? prefix : "the table", "has an entry without a name", "");
        else if (n < 0 || (size_t)n >= sizeof(path))
            complain_key(r, prefix, "has a key that is too long", "");
        else if (index >= 0)
            rc = take_value(r, L, path, index);
        else if (!setting_is_group(path))
            complain_unknown(r, path);
        else if (lua_istable(L, -1) && depth < DEPTH_MAX)
            rc = walk(r, L, path, depth + 1);
        else
            complain_key(r, path, "must be a table of settings, as in ", "{ key = \"value\" }");
        lua_pop(L, 1);
    }
    return rc;
}

/* Lua's message begins with CHUNK:LINE, and Lua would shorten a long path there: the path is put in
 * its place here. The traceback below is of no use to an operator. */
static void complain_lua(struct reading *r, const char *message)
{
    size_t n = strlen(CHUNK);
    int line = 0;

    message = message ? message : "the configuration file raised something that is no text";
    if (strncmp(message, CHUNK ":", n + 1) == 0) {
        message += n;
        line = atoi(message + 1);
    }
    complain(r->complaints, line, "%s%s%.*s", r->file, line > 0 ? "" : ": ",
             (int)strcspn(message, "\n"), message);
}

static int run(struct reading *r)
{
    struct vm_opts opts = {.memory_max = 8 << 20, .slice_ms = 2000};
    struct vm *vm = NULL;
    struct buf why;
    int rc = vm_new(&vm, &opts);
    lua_State *L;

    buf_init(&why, 64 << 10);
    if (rc)
        goto out;
    L = vm_lua(vm);
    if (luaL_loadbufferx(L, r->source, strlen(r->source), "@" CHUNK, "t") != LUA_OK) {
        complain_lua(r, lua_tostring(L, -1));
        rc = RD_ECONFIG;
        goto out;
    }
    if (vm_call(vm, 0, 1, &why) != 0) {
        const char *text = buf_text(&why);

        complain_lua(r, text && *text ? text : "the configuration file ran out of time or memory");
        rc = RD_ECONFIG;
        goto out;
    }
    if (lua_istable(L, -1)) {
        rc = walk(r, L, "", 1);
    } else {
        complain(r->complaints, 1,
                 "%s: must return a table, as in return { public = { url = "
                 "\"https://calls.example.com\" } }",
                 r->file);
        rc = RD_ECONFIG;
    }
out:
    buf_fini(&why);
    vm_free(vm);
    return rc;
}

int settings_read_file(const char *file, struct setting_value *values, struct complaints *c)
{
    struct reading r = {.file = file, .values = values, .complaints = c};
    int rc = read_text(file, FILE_MAX_BYTES, &r.source);

    if (rc == -ENOMEM)
        return rc;
    if (rc) {
        complain(c, 0, "%s: cannot read the configuration file: %s", file, rd_strerror(rc));
        return RD_ECONFIG;
    }
    rc = run(&r);
    free(r.source);
    return rc;
}

/* ---- the environment ---- */

/* The value of NAME in "NAME=value" lines; NULL when absent or empty (empty is how one unsets). */
static const char *env_get(char *const *environment, const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);

    for (; *environment; environment++) {
        const char *e = *environment;

        if (strncmp(e, name, n) == 0 && strncmp(e + n, suffix, m) == 0 && e[n + m] == '=')
            return e[n + m + 1] ? e + n + m + 1 : NULL;
    }
    return NULL;
}

static int read_secret(const struct setting *s, const char *path, struct setting_value *v,
                       struct complaints *c)
{
    char *text = NULL;
    int rc = read_text(path, SECRET_MAX_BYTES, &text);

    if (rc == -ENOMEM)
        return rc;
    if (rc || !text) {
        complain(c, 0, "%s_FILE: cannot read \"%s\": %s", s->env, path, rd_strerror(rc));
        v->bad = true;
        return 0;
    }
    text[strcspn(text, "\r\n")] = '\0';
    rc = put(v, text, ORIGIN_SECRET_FILE, 0);
    free(text);
    return rc;
}

/* RINGDOWN_PUBLIC_ULR=... would otherwise be ignored without a word. */
static void complain_misspelt(char *const *environment, struct complaints *c)
{
    size_t n;
    const struct setting *all = settings_table(&n);

    for (; *environment; environment++) {
        char name[64];
        struct nearest near;

        rd_str_copy(name, sizeof(name), (struct rd_str){*environment, strcspn(*environment, "=")});
        if (strncmp(name, "RINGDOWN_", 9) != 0)
            continue;
        nearest_init(&near, name + 9);
        for (size_t i = 0; i < n; i++)
            if (strncmp(all[i].env, "RINGDOWN_", 9) == 0)
                nearest_offer(&near, all[i].env + 9);
        nearest_offer(&near, "CONFIG");
        if (near.best && near.distance > 0 && near.distance <= 2)
            complain(c, 0, "%s: unknown variable; did you mean RINGDOWN_%s?", name, near.best);
    }
}

int settings_read_env(char *const *environment, struct setting_value *values, struct complaints *c)
{
    size_t n;
    const struct setting *all = settings_table(&n);
    int rc = 0;

    for (size_t i = 0; i < n && !rc; i++) {
        const char *plain = env_get(environment, all[i].env, "");
        const char *file = all[i].secret ? env_get(environment, all[i].env, "_FILE") : NULL;

        if (plain && file)
            complain(c, 0, "%s: given twice, also as %s_FILE; keep one", all[i].env, all[i].env);
        if (plain)
            rc = put(&values[i], plain, ORIGIN_ENV, 0);
        else if (file)
            rc = read_secret(&all[i], file, &values[i], c);
        if (!rc && (plain || file))
            split_entries(&all[i], &values[i]);
    }
    if (!rc)
        complain_misspelt(environment, c);
    return rc;
}
