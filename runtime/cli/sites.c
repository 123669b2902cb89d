/* SPDX-License-Identifier: Apache-2.0 */
/* sites.c - `ringdown sites`: the places that an agent answers for.
 *
 *   import  a Lua file of sites is checked like an agent's file (scripts/ringdown/site.lua, in the
 *           sandbox); what changes is told, then all of it is written in one transaction
 *   list, show  what is in the database
 *
 * - mistakes in the file: all of them with their lines, exit 2, nothing is written
 * - sites that are not in the file stay: numbers may be assigned to them, which asks again whether the
 *   agent may call their people: its file may have changed since */
#include "cli/sites.h"

#include "agent/api/api.h"
#include "base/err.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "lua/vm.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown sites list [--agent A]                            [--json] [--config FILE]\n"
    "       ringdown sites show SITE [--agent A]\n"
    "       ringdown sites import FILE.lua [--agent A] [--dry-run]\n\n"
    "Sites are the places one agent answers for: name, time_zone, hours, people, resources, "
    "prices\n"
    "and other facts. FILE.lua returns them by id:\n\n"
    "  return {\n"
    "    lakeview = { name = \"Northside Lakeview\", time_zone = \"America/Chicago\",\n"
    "                 hours = { mon_fri = \"08:00-17:00\" }, people = { office = "
    "\"+13125550101\" },\n"
    "                 prices = { drain = \"$90\" }, facts = { parking = \"behind the house\" } },\n"
    "  }\n\n"
    "import tells what changes and writes it; --dry-run only tells. Sites that are not in the "
    "file\n"
    "stay as they are. --agent may be left out when only one agent is there. Assign numbers with\n"
    "ringdown numbers. Exit code 1 when the database did not do it, 2 when the file has "
    "mistakes.\n";

enum { WHY_MAX = 64 * 1024, MODULE_MAX = 128 };

/* ---- the file ---- */

/* "shops/sites.lua": its folder and its module, "sites". */
static bool split_path(const char *path, char *folder, char *module)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);

    if (n < 5 || n - 4 >= MODULE_MAX || strcmp(name + n - 4, ".lua") != 0)
        return false;
    (void)snprintf(module, MODULE_MAX, "%.*s", (int)(n - 4), name);
    (void)snprintf(folder, PATH_MAX, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    return true;
}

static json_t *run_file(struct vm *v, const char *module, const char *countries, const char *path)
{
    lua_State *L = vm_lua(v);
    json_t *list = NULL;
    struct buf why;

    buf_init(&why, WHY_MAX);
    lua_pushstring(L, module);
    lua_pushstring(L, countries);
    if (vm_call_module(v, "ringdown.site", "read", 2, 2, &why)) {
        fprintf(stderr, "%s:1: %s\n", path, buf_text(&why) ? why.data : "cannot be read");
    } else {
        if (lua_isstring(L, -2))
            list = json_loads(lua_tostring(L, -2), 0, NULL);
        if (!list)
            fprintf(stderr, "%s\n", lua_isstring(L, -1) ? lua_tostring(L, -1) : path);
        lua_pop(L, 2);
    }
    buf_fini(&why);
    return list;
}

/* List of { site, name, time_zone, facts }; NULL after complaints. */
static json_t *read_sites(const struct settings *s, const char *agent, const char *path)
{
    char folder[PATH_MAX], module[MODULE_MAX];
    const char *const dirs[] = {s->library_path, folder, NULL};
    struct vm_opts opts = {.memory_max = (size_t)64 << 20};
    struct vm *v = NULL;
    json_t *list = NULL;
    char *countries = NULL;

    if (!split_path(path, folder, module)) {
        fprintf(stderr, "ringdown sites: %s is no Lua file; its name must end in .lua\n", path);
        return NULL;
    }
    if (access(path, R_OK) != 0) {
        fprintf(stderr,
                "ringdown sites: %s: %s; name a file that returns sites, ringdown sites --help "
                "shows one\n",
                path, strerror(errno));
        return NULL;
    }
    if (!sites_countries(s, agent, &countries)) {
        fprintf(stderr,
                "ringdown sites: no agent '%s' loads from %s, so nobody knows where its people may "
                "be called; ringdown check tells why\n",
                agent, s->agents_path);
        return NULL;
    }
    if (chunks_new(&opts.chunks, dirs) == 0 && vm_new(&v, &opts) == 0) {
        (void)vm_preload(v, "ringdown.host", api_open_loading);
        list = run_file(v, module, countries, path);
    } else {
        fputs("ringdown sites: not enough memory\n", stderr);
    }
    vm_free(v);
    chunks_free(opts.chunks);
    free(countries);
    return list;
}

/* ---- sites that were imported earlier ---- */

/* What is wrong is told as "ringdown numbers: …". */
static bool check_people(struct vm *v, const char *people, const char *countries, const char *site)
{
    lua_State *L = vm_lua(v);
    bool good = false;
    struct buf why;

    buf_init(&why, WHY_MAX);
    lua_pushstring(L, site);
    lua_pushstring(L, people);
    lua_pushstring(L, countries);
    if (vm_call_module(v, "ringdown.site", "people_wrong", 3, 1, &why)) {
        fprintf(stderr, "ringdown numbers: %s\n", buf_text(&why) ? why.data : "not enough memory");
    } else {
        good = !lua_isstring(L, -1);
        if (!good)
            fprintf(stderr,
                    "ringdown numbers: %s; mend the site, or the agent's countries, and assign it "
                    "again\n",
                    lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    buf_fini(&why);
    return good;
}

bool sites_people_allowed(struct asking *a, const struct settings *s, const char *agent,
                          const char *site)
{
    static const char sql[] = "select coalesce(facts -> 'people', '{}') from sites "
                              "where agent = $1 and site = $2";
    const char *const dirs[] = {s->library_path, NULL};
    struct vm_opts opts = {.memory_max = (size_t)64 << 20};
    struct vm *v = NULL;
    char *countries = NULL, *people = NULL;
    json_t *kept;
    bool good = false;

    if (!sites_countries(s, agent, &countries))
        return true; /* the command notes that */
    kept = ask_json(a, sql, 2, (const char *const[]){agent, site});
    people = kept ? json_dumps(kept, JSON_COMPACT) : NULL;
    json_decref(kept);
    if (people && chunks_new(&opts.chunks, dirs) == 0 && vm_new(&v, &opts) == 0) {
        (void)vm_preload(v, "ringdown.host", api_open_loading);
        good = check_people(v, people, countries, site);
    }
    vm_free(v);
    chunks_free(opts.chunks);
    free(people);
    free(countries);
    return good;
}

/* ---- import ---- */

struct importing {
    struct asking ask;
    const char *agent;
    bool dry_run, json;
    int n_new, n_changed, n_same;
    json_t *changes; /* owns */
};

static const char put_sql[] =
    "select jsonb_build_object('new', not exists (select from sites where agent = $1 and site = "
    "$2), 'changed', site_put($1, $2, $3, $4, $5::jsonb, $6))";

static int put_site(struct importing *i, const json_t *site)
{
    char *facts = json_dumps(json_object_get(site, "facts"), JSON_COMPACT | JSON_SORT_KEYS);
    const char *name = ask_text(site, "site"), *what;
    const char *const params[] = {i->agent,
                                  name,
                                  json_string_value(json_object_get(site, "name")),
                                  json_string_value(json_object_get(site, "time_zone")),
                                  facts ? facts : "{}",
                                  sites_who()};
    json_t *done = ask_json(&i->ask, put_sql, 6, params);

    free(facts);
    if (!done)
        return EXIT_FAILED;
    what = !json_is_true(json_object_get(done, "changed")) ? "same"
           : json_is_true(json_object_get(done, "new"))    ? "new"
                                                           : "changed";
    i->n_new += strcmp(what, "new") == 0;
    i->n_changed += strcmp(what, "changed") == 0;
    i->n_same += strcmp(what, "same") == 0;
    if (strcmp(what, "same") != 0 && !i->json)
        printf("%-8s %s (%s)\n", what, name, ask_text(site, "name"));
    (void)json_array_append_new(i->changes, json_pack("{s:s, s:s}", "site", name, "is", what));
    json_decref(done);
    return EXIT_OK;
}

static int transaction(struct importing *i, const char *sql)
{
    if (pg_script(i->ask.pg, sql) == 0)
        return EXIT_OK;
    fprintf(stderr, "ringdown sites: %s\n", pg_message(i->ask.pg));
    return EXIT_FAILED;
}

/* All or nothing; told from within the transaction, so that what is told is what is written. */
static int put_all(struct importing *i, const json_t *list)
{
    int code = transaction(i, "begin");
    size_t n;
    json_t *site;

    json_array_foreach((json_t *)list, n, site)
    {
        if (!code)
            code = put_site(i, site);
    }
    if (code || i->dry_run)
        (void)transaction(i, "rollback");
    else
        code = transaction(i, "commit");
    return code;
}

static void report(const struct importing *i)
{
    if (i->json) {
        json_t *all = json_pack("{s:s, s:b, s:O}", "agent", i->agent, "written", !i->dry_run,
                                "sites", i->changes);

        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(all);
        return;
    }
    printf("Agent %s: %d new, %d changed, %d as before.%s\n", i->agent, i->n_new, i->n_changed,
           i->n_same, i->dry_run ? " Nothing was written." : "");
}

static int import(const struct settings *s, struct importing *i, const char *path)
{
    json_t *list = NULL;
    char *only = NULL;
    int code;

    if (!i->agent)
        i->agent = only = sites_only_agent(s, "sites");
    if (i->agent)
        list = read_sites(s, i->agent, path);
    if (!list) {
        free(only);
        return EXIT_USAGE;
    }
    code = ask_open(&i->ask, s, "sites");
    if (!code) {
        i->changes = json_array();
        code = put_all(i, list);
        if (!code)
            report(i);
        if (!code && !i->dry_run && !i->json)
            sites_tell_node(&i->ask, s);
        json_decref(i->changes);
    }
    ask_close(&i->ask);
    json_decref(list);
    free(only);
    return code;
}

/* ---- list, show ---- */

static const char list_sql[] =
    "select coalesce(jsonb_agg(shown order by agent, site), '[]') from sites_shown "
    "where ($1::text is null or agent = $1) and ($2::text is null or site = $2)";

static void print_site(const json_t *site)
{
    const json_t *numbers = json_object_get(site, "numbers");

    printf("%-24s  %-20s  %-32s  %zu number%s\n", ask_text(site, "agent"), ask_text(site, "id"),
           ask_text(site, "name"), json_array_size(numbers),
           json_array_size(numbers) == 1 ? "" : "s");
}

static int look(const struct settings *s, const char *agent, const char *site, bool json)
{
    struct asking a;
    json_t *list, *one;
    int code = ask_open(&a, s, "sites");
    size_t i;

    list = code ? NULL : ask_json(&a, list_sql, 2, (const char *const[]){agent, site});
    ask_close(&a);
    if (!list)
        return EXIT_FAILED;
    if (site && json_array_size(list) == 0) {
        fprintf(stderr, "ringdown sites: there is no site '%s'; ringdown sites list has all\n",
                site);
        code = EXIT_FAILED;
    } else if (json || site) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (json_array_size(list) == 0) {
        puts("There are no sites: each agent answers as itself. ringdown sites import makes some.");
    }
    json_array_foreach(list, i, one)
    {
        if (!json && !site)
            print_site(one);
    }
    json_decref(list);
    return code;
}

/* ---- the command ---- */

static bool understood(const struct options *o, bool dry_run)
{
    const char *verb = o->n_words ? o->words[0] : "";

    if (strcmp(verb, "list") == 0)
        return o->n_words == 1 && !dry_run;
    return o->n_words == 2 &&
           (strcmp(verb, "import") == 0 || (strcmp(verb, "show") == 0 && !dry_run));
}

static int run(const struct options *o, const struct settings *s, struct importing *i)
{
    if (strcmp(o->words[0], "import") == 0)
        return import(s, i, o->words[1]);
    return look(s, i->agent, o->n_words > 1 ? o->words[1] : NULL, o->json);
}

int cmd_sites(int argc, char **argv)
{
    struct importing i = {0};
    const struct option_switch switches[] = {{"dry-run", &i.dry_run}, {NULL, NULL}};
    const struct option_value values[] = {{"agent", &i.agent}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .values = values, .max_words = 2};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (!understood(&o, i.dry_run)) {
        fputs("ringdown sites: list, show SITE, or import FILE.lua; see: ringdown sites --help\n",
              stderr);
        return EXIT_USAGE;
    }
    i.json = o.json;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    code = run(&o, s, &i);
    settings_free(s);
    return code;
}
