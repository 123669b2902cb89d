/* SPDX-License-Identifier: Apache-2.0 */
/* chunks.c - the modules of one agent: read and compiled once, then loaded into each call's VM from
 * the compiled form, which no script ever sees.
 *
 * - chunks_load() finds a module by name, compiles its text and keeps the dump (with line numbers).
 * - After chunks_freeze() the set is what the agent's version means: it never changes, threads
 * share it, and a module that was not loaded before is not found.
 *
 * Failure: a name that is no plain dotted name, a missing file or a syntax error is told in `why`.
 */
#include "base/err.h"
#include "lua/vm_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIRS_MAX = 8, PATH_BYTES = 1024, NAME_MAX_BYTES = 128 };

static const size_t source_max = (size_t)1 << 20;
static const size_t file_max = (size_t)256 << 10;

struct chunk {
    char *name;        /* owns */
    char *shown;       /* owns; "agents/x.lua" */
    struct buf source; /* text of the module or file */
    struct buf code;   /* compiled; empty for files */
    bool is_file;
    struct chunk *next;
};

struct chunks {
    char *dirs[DIRS_MAX]; /* owns */
    size_t n_dirs;
    struct chunk *list;
    uint64_t hash;
    bool frozen;
};

int chunks_new(struct chunks **out, const char *const *dirs)
{
    struct chunks *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    for (; *dirs && c->n_dirs < DIRS_MAX; dirs++) {
        c->dirs[c->n_dirs] = strdup(*dirs);
        if (!c->dirs[c->n_dirs])
            goto fail;
        c->n_dirs++;
    }
    *out = c;
    return 0;
fail:
    chunks_free(c);
    return -ENOMEM;
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
    for (size_t i = 0; i < c->n_dirs; i++)
        free(c->dirs[i]);
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

static int read_file(struct buf *out, const char *path)
{
    FILE *f = fopen(path, "re");
    int rc = 0;

    if (!f) /* scripts/x is a file, scripts/x/init.lua no path: not here either */
        return errno == ENOTDIR ? -ENOENT : -errno;
    while (!rc) {
        size_t n;

        rc = buf_reserve(out, 4096);
        if (rc) { /* nearly full: is there really more? */
            rc = fgetc(f) == EOF ? 0 : RD_ETOOBIG;
            break;
        }
        n = fread(out->data + out->n, 1, 4096, f);
        out->n += n;
        if (n == 0)
            break;
    }
    if (!rc && ferror(f))
        rc = -EIO; /* a folder, for one */
    fclose(f);
    return rc;
}

/* Plain names between dots: letters, digits, _ and -. */
static bool good_module(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > NAME_MAX_BYTES || name[0] == '.' || name[n - 1] == '.' || strstr(name, ".."))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
            return false;
    return true;
}

static bool good_file(const char *name)
{
    return *name && strlen(name) <= NAME_MAX_BYTES && name[0] != '/' && !strstr(name, "..");
}

/* FNV-1a over kind, name and text; the sum does not depend on the order of loading. */
static void hash_chunk(struct chunks *c, const struct chunk *k)
{
    uint64_t h = 0xcbf29ce484222325u;

    h = (h ^ (k->is_file ? 'f' : 'm')) * 0x100000001b3u;
    for (const char *p = k->name;; p++) {
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
        if (!*p)
            break;
    }
    for (size_t i = 0; i < k->source.n; i++)
        h = (h ^ (unsigned char)k->source.data[i]) * 0x100000001b3u;
    c->hash += h;
}

/* How a chunk calls itself in messages: the library "ringdown/x.lua", others by their folder's last
 * name, "agents/x.lua". Only the library may begin with "ringdown/". */
static void chunk_name(char *out, size_t cap, const char *dir, const char *file, bool library)
{
    const char *slash, *end = dir + strlen(dir);

    while (end > dir && end[-1] == '/')
        end--;
    for (slash = end; slash > dir && slash[-1] != '/'; slash--)
        ;
    if (library)
        snprintf(out, cap, "@%s", file);
    else if (end - slash == 8 && strncmp(slash, "ringdown", 8) == 0)
        snprintf(out, cap, "@./%.*s/%s", (int)(end - slash), slash, file);
    else
        snprintf(out, cap, "@%.*s/%s", (int)(end - slash), slash, file);
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

static int load_from_disk(struct chunks *c, lua_State *L, const char *module, struct buf *why)
{
    static const char *const tails[] = {".lua", "/init.lua"};
    bool library = strncmp(module, "ringdown.", 9) == 0;
    char file[NAME_MAX_BYTES + 16], path[PATH_BYTES], name[PATH_BYTES];
    struct chunk *k = chunk_new(module, false);
    int rc = -ENOENT;

    if (!k)
        return -ENOMEM;
    for (size_t i = 0; i < (library && c->n_dirs ? 1 : c->n_dirs) && rc == -ENOENT; i++) {
        for (size_t t = 0; t < 2 && rc == -ENOENT; t++) {
            size_t n = strlen(module);

            for (size_t j = 0; j < n; j++)
                file[j] = module[j] == '.' ? '/' : module[j];
            snprintf(file + n, sizeof(file) - n, "%s", tails[t]);
            snprintf(path, sizeof(path), "%s/%s", c->dirs[i], file);
            chunk_name(name, sizeof(name), c->dirs[i], file, library);
            buf_clear(&k->source);
            rc = read_file(&k->source, path);
        }
    }
    if (rc == -ENOENT)
        buf_addf(why, "module '%s' not found", module);
    else if (rc)
        buf_addf(why, "module '%s': %s", module, rd_strerror(rc));
    else
        rc = compile(k, L, name, why);
    if (rc) {
        chunk_free(k);
        return rc;
    }
    k->shown = strdup(name + 1);
    hash_chunk(c, k);
    k->next = c->list;
    c->list = k;
    return 0;
}

int chunks_load(struct chunks *c, lua_State *L, const char *module, struct buf *why)
{
    struct chunk *k;

    if (!good_module(module)) {
        buf_addf(why, "'%.100s' is no module name", module);
        return RD_ECONFIG;
    }
    k = chunk_find(c, module, false);
    if (!k && c->frozen) {
        buf_addf(why,
                 "module '%s' was not loaded with the agent; require it at the top of the file",
                 module);
        return -ENOENT;
    }
    if (!k)
        return load_from_disk(c, L, module, why);
    if (luaL_loadbufferx(L, k->code.data, k->code.n, module, "b") == LUA_OK)
        return 0;
    buf_addf(why, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    return -ENOMEM;
}

int chunks_file(struct chunks *c, const char *name, struct rd_str *out)
{
    struct chunk *k;
    char path[PATH_BYTES];
    int rc;

    if (!good_file(name) || c->n_dirs == 0)
        return RD_ECONFIG;
    k = chunk_find(c, name, true);
    if (!k) {
        if (c->frozen)
            return -ENOENT;
        k = chunk_new(name, true);
        if (!k)
            return -ENOMEM;
        snprintf(path, sizeof(path), "%s/%s", c->dirs[c->n_dirs - 1], name);
        rc = read_file(&k->source, path);
        if (rc) {
            chunk_free(k);
            return rc;
        }
        hash_chunk(c, k);
        k->next = c->list;
        c->list = k;
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

void chunks_freeze(struct chunks *c)
{
    for (struct chunk *k = c->list; k; k = k->next)
        if (!k->is_file)
            buf_fini(&k->source);
    c->frozen = true;
}

int chunks_hash(struct chunks *c, char out[17])
{
    snprintf(out, 17, "%016llx", (unsigned long long)c->hash);
    return 0;
}
