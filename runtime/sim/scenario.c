/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: small Lua files, run in a VM of their own that is gone when the table was read.
 *
 * Happy path: read the file, compile it, let scenario_read.c take the returned table apart.
 * Failure modes: no such file, a syntax error, a script that loops or eats memory (the VM's
 * limits), and every mistake in the table: RD_ECONFIG with one "file:line: …" each.
 */
#include "sim/scenario.h"

#include "base/err.h"
#include "lua/vm.h"
#include "sim/scenario_read.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_MAX = 256 * 1024, FOLDER_MAX = 1000 };

static int source_read(struct buf *b, const char *file)
{
    FILE *f = fopen(file, "re");
    size_t n = 0;
    int rc = 0;

    if (!f)
        return -errno;
    do {
        rc = buf_reserve(b, 4096);
        n = rc ? 0 : fread(b->data + b->n, 1, 4096, f);
        b->n += n;
    } while (n > 0);
    if (rc == 0 && ferror(f))
        rc = -EIO;
    if (fclose(f) && rc == 0)
        rc = -EIO;
    return rc;
}

static int table_read(struct scenario_reader *r, struct vm *v, size_t n_source)
{
    lua_State *L = vm_lua(v);
    char name[512];
    struct buf why;
    int rc;

    buf_init(&why, 8192);
    snprintf(name, sizeof(name), "@%s", r->file);
    lua_pushcfunction(L, scenario_read_lua);
    lua_pushlightuserdata(L, r);
    if (luaL_loadbufferx(L, r->source, n_source, name, "t") != LUA_OK) {
        const char *text = lua_tostring(L, -1);
        buf_addf(r->complaints, "%s\n", text ? text : r->file);
        lua_settop(L, 0);
        buf_fini(&why);
        return RD_ECONFIG;
    }
    rc = vm_call(v, 2, 0, &why);
    if (rc) {
        const char *text = buf_text(&why);
        size_t line = text ? strcspn(text, "\n") : 0;
        buf_addf(r->complaints, "%.*s\n", (int)line, text ? text : "");
        rc = rc == -ENOMEM ? rc : RD_ECONFIG;
    }
    buf_fini(&why);
    return rc ? rc : r->mistakes > 0 ? RD_ECONFIG : 0;
}

static const char *base_name(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash ? slash + 1 : file;
}

int scenario_load(struct scenario **out, const char *file, struct buf *complaints)
{
    struct scenario_reader r = {.file = file, .complaints = complaints};
    struct vm_opts opts = {.memory_max = 4 << 20, .slice_ms = 1000, .instructions_max = 10000000};
    struct vm *v = NULL;
    struct buf source;
    int rc;

    buf_init(&source, SOURCE_MAX);
    r.out = calloc(1, sizeof(*r.out));
    rc = r.out ? source_read(&source, file) : -ENOMEM;
    if (rc) {
        buf_addf(complaints, "%s: cannot be read: %s\n", file, rd_strerror(rc));
        rc = rc == -ENOMEM ? rc : RD_ECONFIG;
        goto fail;
    }
    rc = -ENOMEM;
    r.source = buf_text(&source);
    r.out->file = strdup(file);
    r.out->name = strdup(base_name(file));
    if (!r.source || !r.out->file || !r.out->name)
        goto fail;
    r.out->name[strcspn(r.out->name, ".")] = '\0';
    rc = vm_new(&v, &opts);
    if (rc)
        goto fail;
    rc = table_read(&r, v, source.n);
    if (rc)
        goto fail;
    vm_free(v);
    buf_fini(&source);
    *out = r.out;
    return 0;
fail:
    vm_free(v);
    buf_fini(&source);
    scenario_free(r.out);
    return rc;
}

static void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static void reply_fini(struct scenario_reply *r)
{
    char *const all[] = {r->hears,     r->hears_file,     r->voice,     r->told,
                         r->says,      r->tool,           r->arguments, r->then_says,
                         r->then_tool, r->then_arguments, r->fault};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        free(all[i]);
}

void scenario_free(struct scenario *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_steps; i++) {
        free(s->steps[i].say);
        free(s->steps[i].voice);
        free(s->steps[i].play);
        free(s->steps[i].digits);
    }
    for (size_t i = 0; i < s->n_replies; i++)
        reply_fini(&s->replies[i]);
    scenario_people_fini(s);
    free(s->steps);
    free(s->replies);
    list_free(s->expect.tools);
    list_free(s->expect.heard);
    list_free(s->expect.verbs);
    free(s->expect.ended_by);
    free(s->expect.voice);
    free(s->name);
    free(s->file);
    free(s->from);
    free(s->dial);
    free(s->to);
    free(s);
}

static int is_lua(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 4 && e->d_name[0] != '.' && strcmp(e->d_name + n - 4, ".lua") == 0;
}

int scenario_load_folder(struct scenario ***out, size_t *n, const char *folder,
                         struct buf *complaints)
{
    struct dirent **names = NULL;
    struct scenario **all = NULL;
    int found = scandir(folder, &names, is_lua, alphasort), rc = 0;
    size_t loaded = 0;

    if (found < 0 || found > FOLDER_MAX) {
        buf_addf(complaints, "%s: %s\n", folder,
                 found < 0 ? rd_strerror(-errno) : "more than 1000 scenarios");
        rc = RD_ECONFIG;
        goto out;
    }
    all = calloc((size_t)found + 1, sizeof(struct scenario *));
    if (!all) {
        rc = -ENOMEM;
        goto out;
    }
    for (int i = 0; i < found; i++) {
        char file[4096];
        int one;
        snprintf(file, sizeof(file), "%s/%s", folder, names[i]->d_name);
        one = scenario_load(&all[loaded], file, complaints);
        loaded += one == 0;
        rc = rc ? rc : one;
    }
out:
    for (int i = 0; i < found; i++)
        free(names[i]);
    free(names);
    if (rc) {
        for (size_t i = 0; i < loaded; i++)
            scenario_free(all[i]);
        free(all);
        return rc;
    }
    *out = all;
    *n = loaded;
    return 0;
}
