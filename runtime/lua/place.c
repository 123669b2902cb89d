/* SPDX-License-Identifier: Apache-2.0 */
/* place.c - files of a folder, on disk or in memory, by their names and by those of modules.
 *
 * Failure modes: a name that is no plain one is refused before anything is opened; what is no file, is
 * larger than the buffer may be, or cannot be read is told as an error. */
#include "lua/place.h"

#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- names --- */

bool place_good_module(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > PLACE_NAME || name[0] == '.' || name[n - 1] == '.' || strstr(name, ".."))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
            return false;
    return true;
}

bool place_good_file(const char *name)
{
    return *name && strlen(name) <= PLACE_NAME && name[0] != '/' && !strstr(name, "..");
}

void place_module_file(char out[PLACE_FILE], const char *module, int which)
{
    static const char *const tails[] = {".lua", "/init.lua"};
    size_t n = strlen(module);

    for (size_t j = 0; j < n; j++)
        out[j] = module[j] == '.' ? '/' : module[j];
    snprintf(out + n, 16, "%s", tails[which]);
}

bool place_is_library(const char *module)
{
    return strncmp(module, "ringdown.", 9) == 0;
}

/* Where the library's modules are looked for, and where all others are. */
static void places_of(const struct place *places, size_t n, const char *module, size_t *first,
                      size_t *end)
{
    bool shelves = n > 0 && places[0].shelf.find;

    *first = shelves && !place_is_library(module) ? 1 : 0;
    *end = place_is_library(module) && n ? 1 : n;
}

void place_shown(char *out, size_t cap, const char *dir, const char *file, bool library)
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

/* --- texts --- */

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

int place_read(struct buf *out, const struct place *p, const char *file)
{
    char path[PLACE_PATH];
    struct rd_str text;
    int rc;

    if (p->shelf.find) {
        text = p->shelf.find(p->shelf.arg, file);
        if (!text.p)
            return -ENOENT;
        rc = buf_add(out, text.p, text.n);
        return rc == RD_EFULL ? RD_ETOOBIG : rc;
    }
    snprintf(path, sizeof(path), "%s/%s", p->dir, file);
    return read_file(out, path);
}

int places_find(const struct place *places, size_t n, const char *module, struct buf *out,
                char *name, size_t cap)
{
    char file[PLACE_FILE];
    size_t first, end;
    int rc = -ENOENT;

    places_of(places, n, module, &first, &end);
    for (size_t i = first; i < end && rc == -ENOENT; i++) {
        for (int which = 0; which < 2 && rc == -ENOENT; which++) {
            place_module_file(file, module, which);
            place_shown(name, cap, places[i].dir, file, place_is_library(module));
            buf_clear(out);
            rc = place_read(out, &places[i], file);
        }
    }
    return rc;
}
