/* SPDX-License-Identifier: Apache-2.0 */
/* chunks.c - the modules of one agent: read and compiled once, then loaded into each call's VM from
 * the compiled form, which no script ever sees.
 *
 * - chunks_load() finds a module by name, compiles its text and keeps the dump (with line numbers).
 * - Texts come from places (place.h): folders on disk, or shelves in memory.
 * - chunks_put() adds a module that no folder has, and chunks_put_file() a text: what was made of the
 *   others while they loaded. Not part of the hash: the same modules make the same.
 * - After chunks_freeze() the set is what the agent's version means: it never changes, threads
 * share it, and a module that was not loaded before is not found.
 *
 * Failure: a name that is no plain dotted name, a missing file or a syntax error is told in `why`.
 */
#include "base/err.h"
#include "lua/place.h"
#include "lua/vm_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIRS_MAX = 8, ABSENT_MAX = 64 };

static const size_t source_max = (size_t)1 << 20;
static const size_t file_max = (size_t)256 << 10;

struct chunk {
    char *name;        /* owns */
    char *shown;       /* owns; "agents/x.lua" */
    struct buf source; /* text of the module or file; the library's go once they are compiled */
    struct buf code;   /* compiled; empty for files */
    bool is_file;
    bool is_made;       /* of the others: by chunks_put() */
    bool absent;        /* asked for and not found: part of what the agent is, too */
    uint64_t text_hash; /* of source, which goes when the set is frozen at the latest */
    struct chunk *next;
};

struct chunks {
    struct place places[DIRS_MAX];
    size_t n_places;
    struct chunk *list;
    unsigned n_absent;
    uint64_t hash;
    bool frozen;
};

int chunks_new(struct chunks **out, const char *const *dirs)
{
    struct chunks *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    for (; *dirs && c->n_places < DIRS_MAX; dirs++) {
        c->places[c->n_places].dir = strdup(*dirs);
        if (!c->places[c->n_places].dir)
            goto fail;
        c->n_places++;
    }
    *out = c;
    return 0;
fail:
    chunks_free(c);
    return -ENOMEM;
}

int chunks_new_shelves(struct chunks **out, const struct chunks_shelf *library,
                       const struct chunks_shelf *own)
{
    const char *const names[] = {library->name, own->name, NULL};
    int rc = chunks_new(out, names);

    if (rc)
        return rc;
    (*out)->places[0].shelf = *library;
    (*out)->places[1].shelf = *own;
    return 0;
}

static void chunk_free(struct chunk *k)
{
    if (!k)
        return;
    buf_fini(&k->source);
    buf_fini(&k->code);
    free(k->name);
    free(k->shown);
    free(k);
}

void chunks_free(struct chunks *c)
{
    if (!c)
        return;
    while (c->list) {
        struct chunk *k = c->list;

        c->list = k->next;
        chunk_free(k);
    }
    for (size_t i = 0; i < c->n_places; i++)
        free(c->places[i].dir);
    free(c);
}

static struct chunk *chunk_find(const struct chunks *c, const char *name, bool is_file)
{
    struct chunk *k = c->list;

    while (k && (k->is_file != is_file || strcmp(k->name, name) != 0))
        k = k->next;
    return k;
}

static struct chunk *chunk_new(const char *name, bool is_file)
{
    struct chunk *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    k->name = strdup(name);
    k->is_file = is_file;
    buf_init(&k->source, is_file ? file_max : source_max);
    buf_init(&k->code, 4 * source_max);
    if (!k->name) {
        chunk_free(k);
        return NULL;
    }
    return k;
}

/* FNV-1a over kind, name and text; the sum does not depend on the order of loading. */
static uint64_t hash_more(uint64_t h, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    return h;
}

static const uint64_t hash_begin = 0xcbf29ce484222325u;

static void hash_chunk(struct chunks *c, struct chunk *k)
{
    uint64_t h = hash_more(hash_begin, k->is_file ? "f" : "m", 1);

    h = hash_more(h, k->name, strlen(k->name) + 1);
    c->hash += hash_more(h, k->source.data, k->source.n);
    k->text_hash = hash_more(hash_begin, k->source.data, k->source.n);
}

static void add_chunk(struct chunks *c, struct chunk *k)
{
    hash_chunk(c, k);
    k->next = c->list;
    c->list = k;
}

static int dump_to_buf(lua_State *L, const void *p, size_t n, void *arg)
{
    (void)L;
    return buf_add(arg, p, n);
}

/* Compiles k->source and pushes the function. */
static int compile(struct chunk *k, lua_State *L, const char *name, struct buf *why)
{
    int status = luaL_loadbufferx(L, k->source.data ? k->source.data : "", k->source.n, name, "t");

    if (status == LUA_OK && lua_dump(L, dump_to_buf, &k->code, 0) == 0)
        return 0;
    if (status != LUA_OK)
        buf_addf(why, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    return status == LUA_OK || status == LUA_ERRMEM ? -ENOMEM : RD_ESCRIPT;
}

/* An agent that does without a module becomes another one on the day the module is there. */
static void remember_absent(struct chunks *c, struct chunk *k)
{
    struct chunk *before = chunk_find(c, k->name, false);

    if (before || c->n_absent >= ABSENT_MAX) {
        chunk_free(k);
        c->n_absent += before ? 0 : 1; /* too many to remember: see chunks_same() */
        return;
    }
    k->absent = true;
    k->next = c->list;
    c->list = k;
    c->n_absent++;
}

/* It is kept for as long as the version lives, and nothing is added. */
static void fit(struct buf *code)
{
    char *data = code->n > 0 && code->n < code->cap ? realloc(code->data, code->n) : NULL;

    if (!data)
        return;
    code->data = data;
    code->cap = code->n;
}

static int load_text(struct chunks *c, lua_State *L, const char *module, struct buf *why)
{
    char name[PLACE_PATH];
    struct chunk *k = chunk_new(module, false);
    int rc;

    if (!k)
        return -ENOMEM;
    rc = places_find(c->places, c->n_places, module, &k->source, name, sizeof(name));
    if (rc == -ENOENT) {
        buf_addf(why, "module '%s' not found", module);
        remember_absent(c, k);
        return rc;
    }
    if (rc)
        buf_addf(why, "module '%s': %s", module, rd_strerror(rc));
    else
        rc = compile(k, L, name, why);
    if (rc) {
        chunk_free(k);
        return rc;
    }
    k->shown = strdup(name + 1);
    add_chunk(c, k);
    fit(&k->code);
    if (place_is_library(module)) /* nobody shows its lines */
        buf_fini(&k->source);
    return 0;
}

static void add_made(struct chunks *c, struct chunk *k)
{
    k->is_made = true;
    k->next = c->list;
    c->list = k;
}

int chunks_put(struct chunks *c, lua_State *L, const char *module, struct rd_str text,
               struct buf *why)
{
    struct chunk *k = chunk_new(module, false);
    int rc;

    if (!k)
        return -ENOMEM;
    rc = buf_add(&k->source, text.p, text.n);
    if (!rc)
        rc = compile(k, L, "=made", why);
    if (rc) {
        chunk_free(k);
        return rc;
    }
    lua_pop(L, 1);
    add_made(c, k);
    return 0;
}

int chunks_put_file(struct chunks *c, const char *name, struct rd_str text)
{
    struct chunk *k = chunk_new(name, true);
    int rc = k ? buf_add(&k->source, text.p, text.n) : -ENOMEM;

    if (rc)
        chunk_free(k);
    else
        add_made(c, k);
    return rc;
}

static int load_chunk(struct chunks *c, lua_State *L, const char *module, struct buf *why)
{
    struct chunk *k;

    if (!place_good_module(module)) {
        buf_addf(why, "'%.100s' is no module name", module);
        return RD_ECONFIG;
    }
    k = chunk_find(c, module, false);
    if (c->frozen && (!k || k->absent)) {
        buf_addf(why,
                 "module '%s' was not loaded with the agent; require it at the top of the file",
                 module);
        return -ENOENT;
    }
    if (!k || k->absent)
        return load_text(c, L, module, why);
    if (luaL_loadbufferx(L, k->code.data, k->code.n, module, "b") == LUA_OK)
        return 0;
    buf_addf(why, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    return -ENOMEM;
}

int chunks_load(struct chunks *c, lua_State *L, const char *module, struct buf *why)
{
    int rc = load_chunk(c, L, module, why);

    if (rc == 0 && place_is_library(module))
        sandbox_is_library(L);
    return rc;
}

int chunks_file(struct chunks *c, const char *name, struct rd_str *out)
{
    struct chunk *k;
    int rc;

    if (!place_good_file(name) || c->n_places == 0)
        return RD_ECONFIG;
    k = chunk_find(c, name, true);
    if (!k) {
        if (c->frozen)
            return -ENOENT;
        k = chunk_new(name, true);
        if (!k)
            return -ENOMEM;
        rc = place_read(&k->source, &c->places[c->n_places - 1], name);
        if (rc) {
            chunk_free(k);
            return rc;
        }
        add_chunk(c, k);
    }
    *out = (struct rd_str){k->source.data ? k->source.data : "", k->source.n};
    return 0;
}

const char *chunks_shown(const struct chunks *c, const char *module)
{
    const struct chunk *k = chunk_find(c, module, false);

    return k && k->shown ? k->shown : module;
}

struct rd_str chunks_source(const struct chunks *c, const char *module)
{
    struct chunk *k = chunk_find(c, module, false);

    return k ? (struct rd_str){k->source.data, k->source.n} : RD_STR("");
}

/* ---- would it be the same again? ---- */

static bool same_text(const struct chunk *k, struct rd_str text)
{
    return hash_more(hash_begin, text.p, text.n) == k->text_hash;
}

static bool same_chunk(const struct chunk *k, const struct chunks_shelf *library,
                       const struct chunks_shelf *own)
{
    const struct chunks_shelf *s = place_is_library(k->name) && !k->is_file ? library : own;
    char file[PLACE_FILE], name[PLACE_PATH];
    struct rd_str text = {0};

    if (k->is_file) {
        text = s->find(s->arg, k->name);
        return text.p && same_text(k, text);
    }
    for (int which = 0; which < 2 && !text.p; which++) {
        place_module_file(file, k->name, which);
        text = s->find(s->arg, file);
    }
    if (!text.p || k->absent)
        return !text.p && k->absent;
    place_shown(name, sizeof(name), s->name, file, s == library);
    return k->shown && strcmp(name + 1, k->shown) == 0 && same_text(k, text);
}

bool chunks_same(const struct chunks *c, const struct chunks_shelf *library,
                 const struct chunks_shelf *own)
{
    if (c->n_absent > ABSENT_MAX)
        return false;
    for (const struct chunk *k = c->list; k; k = k->next)
        if (!k->is_made && !same_chunk(k, library, own))
            return false;
    return true;
}

void chunks_each_file(const struct chunks *c, void (*fn)(void *arg, const char *path), void *arg)
{
    for (const struct chunk *k = c->list; k; k = k->next) {
        const char *slash = k->shown ? strchr(k->shown, '/') : NULL;

        if (k->is_made)
            continue;
        if (k->is_file)
            fn(arg, k->name);
        else if (slash && !place_is_library(k->name))
            fn(arg, slash + 1);
    }
}

void chunks_freeze(struct chunks *c)
{
    for (struct chunk *k = c->list; k; k = k->next)
        if (!k->is_file)
            buf_fini(&k->source);
    for (size_t i = 0; i < c->n_places; i++)
        c->places[i].shelf = (struct chunks_shelf){.name = NULL};
    c->frozen = true;
}

int chunks_hash(struct chunks *c, char out[17])
{
    snprintf(out, 17, "%016llx", (unsigned long long)c->hash);
    return 0;
}
