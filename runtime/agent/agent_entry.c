/* SPDX-License-Identifier: Apache-2.0 */
/* agent_entry.c - loads one agent: its file runs in a sandboxed VM of its own, the library checks
 * what it returned and renders what C must have without a script: numbers, the fallback TwiML, the
 * TwiML that hands the call to Vapi. The compiled modules stay, frozen, for the calls.
 *
 * Failure: mistakes come back as lines; an error or endless loop in the file is one such line. */
#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "base/now.h"
#include "observe/families.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

/* A file is bounded by what it does: by the clock, a busy machine would refuse good agents. */
enum { TWIML_MAX = 65536, WHY_MAX = 16384, LOAD_INSTRUCTIONS = 200000000, LOAD_MS = 10000 };

/* Every version that somebody still has, newest first. */
static struct {
    pthread_mutex_t lock;
    struct agent_entry *newest;
    size_t n;
} living = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void enlist(struct agent_entry *e)
{
    pthread_mutex_lock(&living.lock);
    e->older = living.newest;
    if (e->older)
        e->older->newer = e;
    living.newest = e;
    living.n++;
    pthread_mutex_unlock(&living.lock);
}

static void strike_off(struct agent_entry *e)
{
    pthread_mutex_lock(&living.lock);
    if (e->older)
        e->older->newer = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    if (living.newest == e)
        living.newest = e->older;
    living.n--;
    pthread_mutex_unlock(&living.lock);
}

size_t agent_living(struct agent_version *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&living.lock);
    for (const struct agent_entry *e = living.newest; e && n < max; e = e->older) {
        if (!e->name || !e->version[0])
            continue; /* is being loaded */
        (void)rd_str_copy(out[n].name, sizeof(out[n].name), rd_str(e->name));
        (void)rd_str_copy(out[n].version, sizeof(out[n].version), rd_str(e->version));
        out[n++].calls = atomic_load_explicit(&e->calls, memory_order_relaxed);
    }
    pthread_mutex_unlock(&living.lock);
    return n;
}

size_t agent_living_count(void)
{
    size_t n;

    pthread_mutex_lock(&living.lock);
    n = living.n;
    pthread_mutex_unlock(&living.lock);
    return n;
}

void agent_settle(struct vm *v)
{
    static const char *const beginning[] = {
        "ringdown.brief",        "ringdown.complaints", "ringdown.customers", "ringdown.hours",
        "ringdown.nearest",      "ringdown.numbers",    "ringdown.rollout",   "ringdown.routing",
        "ringdown.routing_call", "ringdown.shape",      "ringdown.site",      "ringdown.template"};

    for (size_t i = 0; i < sizeof(beginning) / sizeof(beginning[0]); i++)
        vm_forget(v, beginning[i]);
    vm_trim(v);
}

struct agent_entry *agent_entry_ref(struct agent_entry *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

static void free_list(char **list)
{
    for (char **p = list; p && *p; p++)
        free(*p);
    free(list);
}

void agent_entry_unref(struct agent_entry *e)
{
    if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
        return;
    strike_off(e);
    free_list(e->numbers);
    free_list(e->hosts);
    free_list(e->secrets);
    free(e->name);
    free(e->fallback);
    free(e->nobody);
    free(e->vapi);
    free(e->assistant);
    free(e->help);
    free(e->rules);
    free(e->tables);
    free(e->countries);
    free(e->warnings);
    free(e->shown);
    free(e->module);
    chunks_free(e->chunks);
    free(e);
}

const struct agent_info *agent_hold(const struct agent_info *a)
{
    struct agent_entry *e = (struct agent_entry *)(uintptr_t)a; /* its first member */

    atomic_fetch_add_explicit(&e->calls, 1, memory_order_relaxed);
    return &agent_entry_ref(e)->info;
}

void agent_let_go(const struct agent_info *a)
{
    struct agent_entry *e = (struct agent_entry *)(uintptr_t)a;

    if (!e)
        return;
    atomic_fetch_sub_explicit(&e->calls, 1, memory_order_relaxed);
    agent_entry_unref(e);
}

void agent_each_file(const struct agent_info *a, void (*fn)(void *arg, const char *path), void *arg)
{
    chunks_each_file(agent_chunks(a), fn, arg);
}

struct chunks *agent_chunks(const struct agent_info *a)
{
    return ((const struct agent_entry *)a)->chunks;
}

const char *agent_module(const struct agent_info *a)
{
    return ((const struct agent_entry *)a)->module;
}

static bool ends_with(const char *s, size_t n, const char *tail)
{
    size_t k = strlen(tail);

    return n >= k && strcmp(s + n - k, tail) == 0;
}

/* <Response>…</Response>, after an XML declaration or not. Rendered by our library: a plain check.
 */
static bool is_response(const char *xml)
{
    size_t n = strlen(xml);

    while (n > 0 && (xml[n - 1] == '\n' || xml[n - 1] == ' '))
        n--;
    if (n > TWIML_MAX || strncmp(xml, "<?xml", 5) != 0)
        return false;
    return strstr(xml, "<Response>") && ends_with(xml, strlen(xml), "</Response>\n");
}

static char *copy_member(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? strdup(text) : NULL;
}

/* What was read so far is in *out even when memory ends. */
static int take_list(char ***out, json_t *list)
{
    size_t n = json_array_size(list);

    *out = calloc(n + 1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        (*out)[i] = strdup(text ? text : "");
        if (!(*out)[i])
            return -ENOMEM;
    }
    return 0;
}

static int take_lists(struct agent_entry *e, json_t *info)
{
    int rc = take_list(&e->numbers, json_object_get(info, "numbers"));

    if (!rc)
        rc = take_list(&e->hosts, json_object_get(info, "hosts"));
    return rc ? rc : take_list(&e->secrets, json_object_get(info, "secrets"));
}

static uint32_t number_member(json_t *object, const char *key)
{
    double v = json_number_value(json_object_get(object, key));

    return v > 0 && v < UINT32_MAX ? (uint32_t)v : 0;
}

static void take_rules(struct agent_info *a, json_t *info)
{
    a->answers_missed = json_is_true(json_object_get(info, "answers_missed"));
    a->record = json_is_true(json_object_get(info, "record"));
    a->keep_transcripts_s = number_member(info, "keep_transcripts_s");
    a->keep_recordings_s = number_member(info, "keep_recordings_s");
    a->max_calls = number_member(info, "max_calls");
    a->bridges = json_is_true(json_object_get(info, "bridges"));
    a->bypasses = json_is_true(json_object_get(info, "bypass"));
    a->may_fail_over = json_is_true(json_object_get(info, "failover"));
    a->split_bp = json_object_get(info, "split_bp") ? (int)number_member(info, "split_bp") : -1;
}

static bool has_documents(const struct agent_entry *e)
{
    return e->fallback && is_response(e->fallback) && e->nobody && is_response(e->nobody) &&
           (!e->vapi || is_response(e->vapi)) && (!e->help || is_response(e->help));
}

static int take_info(struct agent_entry *e, const char *text, size_t n)
{
    json_t *info = json_loadb(text, n, 0, NULL);
    int rc;

    if (!info)
        return RD_ECONFIG;
    e->name = copy_member(info, "name");
    e->fallback = copy_member(info, "fallback");
    e->nobody = copy_member(info, "nobody");
    e->vapi = copy_member(info, "vapi");
    e->assistant = copy_member(info, "vapi_assistant");
    e->help = copy_member(info, "help");
    e->rules = copy_member(info, "rules");
    e->tables = json_dumps(json_object_get(info, "tables"), JSON_SORT_KEYS | JSON_COMPACT);
    e->countries = copy_member(info, "countries");
    e->shown = copy_member(info, "shown");
    rc = take_lists(e, info);
    e->warnings = copy_member(info, "warnings");
    e->info = (struct agent_info){.name = e->name,
                                  .version = e->version,
                                  .numbers = (const char *const *)e->numbers,
                                  .hosts = (const char *const *)e->hosts,
                                  .secrets = (const char *const *)e->secrets,
                                  .fallback_twiml = e->fallback,
                                  .nobody_twiml = e->nobody,
                                  .vapi_twiml = e->vapi,
                                  .vapi_assistant = e->assistant,
                                  .help_twiml = e->help,
                                  .rules = e->rules,
                                  .tables = e->tables,
                                  .countries = e->countries,
                                  .warnings = e->warnings,
                                  .shown = e->shown ? e->shown : "{}",
                                  .loaded_unix_ms = (uint64_t)unix_ms()};
    take_rules(&e->info, info);
    json_decref(info);
    if (rc)
        return rc;
    return e->name && e->tables && has_documents(e) ? 0 : RD_ECONFIG;
}

static void complain(const struct agent_entry *e, struct buf *complaints, const char *text,
                     size_t n)
{
    if (n > 0)
        buf_addf(complaints, "%.*s\n", (int)n, text);
    else
        buf_addf(complaints, "%s:1: the library could not describe it\n",
                 chunks_shown(e->chunks, e->module));
}

/* What a call's VM takes instead of checking the agent again: a module, and texts that it reads when
 * it needs them. Keys and values of the table on top. */
static int put_definition(struct agent_entry *e, lua_State *L, struct buf *complaints)
{
    int table = lua_gettop(L), rc = lua_istable(L, table) ? 0 : RD_ECONFIG;

    if (!rc)
        lua_pushnil(L);
    while (!rc && lua_next(L, table)) {
        struct rd_str text = {0};
        const char *name = lua_tostring(L, -2);

        text.p = lua_tolstring(L, -1, &text.n);
        if (strcmp(name, "ringdown.def") == 0)
            rc = chunks_put(e->chunks, L, name, text, complaints);
        else
            rc = chunks_put_file(e->chunks, name, text);
        lua_pop(L, 1);
    }
    lua_settop(L, table);
    return rc;
}

/* ringdown.runtime.load(module) → JSON, nil, definition | nil, lines */
static int run_file(struct agent_entry *e, struct vm *v, struct buf *complaints)
{
    lua_State *L = vm_lua(v);
    struct buf why;
    const char *text;
    size_t n = 0;
    int rc;

    buf_init(&why, WHY_MAX);
    lua_pushstring(L, e->module);
    rc = vm_call_module(v, "ringdown.runtime", "load", 1, 3, &why);
    if (rc) {
        buf_addf(complaints, "%s:1: %s\n", chunks_shown(e->chunks, e->module),
                 buf_text(&why) && why.n ? why.data : rd_strerror(rc));
        buf_fini(&why);
        return rc == -ENOMEM ? rc : RD_ECONFIG;
    }
    buf_fini(&why);
    text = lua_tolstring(L, -3, &n);
    rc = text ? take_info(e, text, n) : RD_ECONFIG;
    if (!rc)
        rc = put_definition(e, L, complaints);
    if (rc == RD_ECONFIG) {
        n = 0;
        text = lua_tolstring(L, -2, &n);
        complain(e, complaints, text, n);
    }
    lua_pop(L, 3);
    return rc;
}

static int run_in_vm(struct agent_entry *e, struct buf *complaints)
{
    struct vm_opts opts = {
        .chunks = e->chunks, .slice_ms = LOAD_MS, .instructions_max = LOAD_INSTRUCTIONS};
    struct vm *v = NULL;
    int rc = vm_new(&v, &opts);

    if (rc)
        return rc;
    (void)vm_preload(v, "ringdown.host", api_open_loading);
    rc = run_file(e, v, complaints);
    if (rc == -E2BIG || rc == RD_EFULL)
        buf_addf(complaints, "%s:1: a text of it is too large; a prompt has at most 64 KB\n",
                 chunks_shown(e->chunks, e->module));
    vm_free(v);
    return rc;
}

int agent_entry_load(struct agent_entry **out, const struct agent_source *source,
                     struct buf *complaints)
{
    struct agent_entry *e = calloc(1, sizeof(*e));
    int rc;

    if (!e)
        return -ENOMEM;
    atomic_init(&e->refs, 1);
    enlist(e);
    e->module = strdup(source->module);
    rc = e->module ? chunks_new_shelves(&e->chunks, &source->library, &source->own) : -ENOMEM;
    if (!rc)
        rc = run_in_vm(e, complaints);
    if (rc) {
        agent_entry_unref(e);
        return rc;
    }
    chunks_freeze(e->chunks);
    (void)chunks_hash(e->chunks, e->version);
    (void)metric_label(LABEL_AGENT, e->name);
    *out = e;
    return 0;
}

bool agent_entry_same(const struct agent_entry *e, const struct agent_source *source)
{
    return chunks_same(e->chunks, &source->library, &source->own);
}
