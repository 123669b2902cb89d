/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - the files of one moment: made, hashed, found, written as JSON and read from it.
 *
 * - a tree is filled with tree_add(), sealed once, and never changes afterwards
 * - whatever it comes from (a folder, a release, a copy on disk), the limits are the same
 *
 * Failure: what is too large, or no path inside the folder, is named in `why`. */
#include "agent/tree.h"

#include "agent/tree_private.h"
#include "base/err.h"
#include "io/tls.h"
#include "lua/vm.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- making ---- */

struct tree *tree_blank(void)
{
    struct tree *t = calloc(1, sizeof(*t));

    if (t)
        atomic_init(&t->refs, 1);
    return t;
}

struct tree *tree_ref(struct tree *t)
{
    if (t)
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void tree_unref(struct tree *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < t->n_files; i++) {
        free(t->files[i].path);
        free(t->files[i].text);
    }
    for (size_t i = 0; i < t->n_folders; i++)
        free(t->folders[i]);
    free(t->files);
    free(t->folders);
    free(t);
}

bool tree_ignores(const char *name)
{
    size_t n = strlen(name);

    if (name[0] == '.' || strcmp(name, "4913") == 0 || name[n - 1] == '~')
        return true;
    return (n > 4 && strcmp(name + n - 4, ".swp") == 0) || (name[0] == '#' && name[n - 1] == '#');
}

/* "lib/prices.lua": relative, no part of it hidden, "." or "..", nothing that a terminal obeys. */
static bool good_path(const char *path)
{
    size_t n = strlen(path);

    if (n == 0 || n >= TREE_PATH || path[n - 1] == '/')
        return false;
    for (const char *p = path; *p; p++) {
        bool begins = p == path || p[-1] == '/';

        if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '\\' || (begins && strchr("./", *p)))
            return false;
    }
    return true;
}

/* Room for one more behind n, or NULL: the list grows when n is 2^k - 1. */
static void *with_room(void *list, size_t n, size_t size)
{
    return n & (n + 1) ? list : realloc(list, (2 * n + 1) * size);
}

static int refuse(int rc, char *why, size_t cap, const char *path, const char *what)
{
    (void)snprintf(why, cap, "%.200s: %s", path, what);
    return rc;
}

int tree_add(struct tree *t, const char *path, struct rd_str text, char *why, size_t cap)
{
    struct tree_entry e = {.n = text.n}, *files;

    if (!good_path(path))
        return refuse(RD_ECONFIG, why, cap, path, "no good name for a file; rename it");
    if (text.n > TREE_FILE_BYTES)
        return refuse(RD_ETOOBIG, why, cap, path, "larger than 1 MiB; keep it elsewhere");
    if (t->n_files >= TREE_FILES_MAX)
        return refuse(RD_ETOOBIG, why, cap, path, "one file too many; at most 2,000 are read");
    if (t->bytes + text.n > TREE_BYTES)
        return refuse(RD_ETOOBIG, why, cap, path, "all files together are larger than 16 MiB");
    (void)refuse(-ENOMEM, why, cap, path, "not enough memory");
    files = with_room(t->files, t->n_files, sizeof(*files));
    if (!files)
        return -ENOMEM;
    t->files = files;
    e.path = strdup(path);
    e.text = malloc(text.n + 1);
    if (!e.path || !e.text) {
        free(e.path);
        free(e.text);
        return -ENOMEM;
    }
    if (text.n)
        memcpy(e.text, text.p, text.n);
    e.text[text.n] = '\0';
    t->files[t->n_files++] = e;
    t->bytes += text.n;
    return 0;
}

int tree_add_folder(struct tree *t, const char *folder)
{
    char **folders = with_room(t->folders, t->n_folders + 1, sizeof(*folders)); /* and the NULL */

    if (!folders)
        return -ENOMEM;
    t->folders = folders;
    t->folders[t->n_folders] = strdup(folder);
    if (!t->folders[t->n_folders])
        return -ENOMEM;
    t->folders[++t->n_folders] = NULL;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct tree_entry *)a)->path, ((const struct tree_entry *)b)->path);
}

/* Lengths are part of it, so that no text can pass for a path and its text. */
static int hash_files(struct tree *t)
{
    struct buf all;
    uint8_t digest[32];
    int rc = 0;

    buf_init(&all, TREE_BYTES + (size_t)TREE_FILES_MAX * (TREE_PATH + 64));
    for (size_t i = 0; !rc && i < t->n_files; i++) {
        uint8_t one[32];
        char hex[65];

        sha256(one, t->files[i].text, t->files[i].n);
        rd_hex(hex, one, sizeof(one));
        rc = buf_addf(&all, "%zu %s %s\n", strlen(t->files[i].path), t->files[i].path, hex);
    }
    if (!rc)
        sha256(digest, all.data ? all.data : "", all.n);
    buf_fini(&all);
    if (!rc)
        rd_hex(t->hash, digest, sizeof(digest));
    return rc;
}

int tree_seal(struct tree *t, char *why, size_t cap)
{
    if (t->n_files)
        qsort(t->files, t->n_files, sizeof(*t->files), by_path);
    for (size_t i = 1; i < t->n_files; i++)
        if (strcmp(t->files[i - 1].path, t->files[i].path) == 0)
            return refuse(RD_ECONFIG, why, cap, t->files[i].path, "is there twice");
    return hash_files(t);
}

int tree_new(struct tree **out, const struct tree_file *files, size_t n, char *why, size_t cap)
{
    struct tree *t = tree_blank();
    int rc = t ? 0 : -ENOMEM;

    for (size_t i = 0; !rc && i < n; i++)
        rc = tree_add(t, files[i].path, files[i].text, why, cap);
    if (!rc)
        rc = tree_seal(t, why, cap);
    if (rc)
        tree_unref(t);
    else
        *out = t;
    return rc;
}

/* ---- looking ---- */

const char *tree_hash(const struct tree *t)
{
    return t->hash;
}

size_t tree_count(const struct tree *t)
{
    return t->n_files;
}

struct tree_file tree_at(const struct tree *t, size_t i)
{
    const struct tree_entry *e = &t->files[i];

    return (struct tree_file){.path = e->path, .text = {e->text, e->n}};
}

struct rd_str tree_find(const struct tree *t, const char *path)
{
    struct tree_entry key = {.path = (char *)(uintptr_t)path};
    const struct tree_entry *e =
        t->n_files ? bsearch(&key, t->files, t->n_files, sizeof(key), by_path) : NULL;

    return e ? (struct rd_str){e->text, e->n} : (struct rd_str){0};
}

uint64_t tree_stamp_of(const struct tree *t)
{
    return t->stamp;
}

const char *const *tree_folders(const struct tree *t)
{
    static const char *const none[] = {NULL};

    return t->folders ? (const char *const *)t->folders : none;
}

static struct rd_str find_own(const void *arg, const char *path)
{
    return tree_find(arg, path);
}

static struct rd_str find_library(const void *arg, const char *path)
{
    return strncmp(path, "ringdown/", 9) == 0 ? tree_find(arg, path + 9) : (struct rd_str){0};
}

struct chunks_shelf tree_shelf(const struct tree *t, const char *name)
{
    return (struct chunks_shelf){.name = name, .find = find_own, .arg = t};
}

struct chunks_shelf tree_library_shelf(const struct tree *t)
{
    return (struct chunks_shelf){.name = "library", .find = find_library, .arg = t};
}

/* ---- as JSON ---- */

static bool is_utf8(struct rd_str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = s.p[i] ? rd_utf8_sequence(s.p + i, s.n - i) : 0; /* the database takes no NUL */

        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

int tree_to_json(const struct tree *t, struct buf *out, char *why, size_t cap)
{
    int rc = buf_add_str(out, "{");

    for (size_t i = 0; !rc && i < t->n_files; i++) {
        struct tree_file f = tree_at(t, i);

        if (!is_utf8(f.text) || !is_utf8(rd_str(f.path)))
            return refuse(RD_EPROTO, why, cap, f.path,
                          "is no UTF-8 text; take it out of the folder");
        rc = buf_add_str(out, i ? ",\"" : "\"");
        if (!rc)
            rc = buf_add_json(out, rd_str(f.path));
        if (!rc)
            rc = buf_add_str(out, "\":\"");
        if (!rc)
            rc = buf_add_json(out, f.text);
        if (!rc)
            rc = buf_add_str(out, "\"");
    }
    if (!rc)
        rc = buf_add_str(out, "}");
    if (rc)
        (void)snprintf(why, cap, "%s", rd_strerror(rc));
    return rc;
}

int tree_from_json(struct tree **out, struct rd_str json, char *why, size_t cap)
{
    json_t *root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL), *text;
    struct tree *t = tree_blank();
    int rc = t ? 0 : -ENOMEM;
    const char *path;

    (void)snprintf(why, cap, "the release cannot be read");
    if (!rc && !json_is_object(root))
        rc = RD_EPROTO;
    if (!rc) {
        json_object_foreach(root, path, text)
        {
            struct rd_str s = {json_string_value(text), json_string_length(text)};

            if (!rc)
                rc = s.p ? tree_add(t, path, s, why, cap) : RD_EPROTO;
        }
    }
    if (!rc)
        rc = tree_seal(t, why, cap);
    json_decref(root);
    if (rc)
        tree_unref(t);
    else
        *out = t;
    return rc;
}
