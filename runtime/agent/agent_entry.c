/* SPDX-License-Identifier: Apache-2.0 */
/* agent_entry.c - loads one agent: its file runs in a sandboxed VM of its own, the library checks
 * what it returned and renders what C must have without a script: numbers, the fallback TwiML, the
 * TwiML that hands the call to Vapi. The compiled modules stay, frozen, for the calls.
 *
 * Failure: mistakes come back as lines; an error or endless loop in the file is one such line. */
#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "base/err.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum { TWIML_MAX = 65536, WHY_MAX = 16384 };

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
    free_list(e->numbers);
    free_list(e->hosts);
    free_list(e->secrets);
    free(e->name);
    free(e->fallback);
    free(e->vapi);
    free(e->help);
    free(e->rules);
    free(e->tables);
    free(e->warnings);
    free(e->module);
    chunks_free(e->chunks);
    free(e);
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
}

static int take_info(struct agent_entry *e, const char *text, size_t n)
{
    json_t *info = json_loadb(text, n, 0, NULL);
    int rc;

    if (!info)
        return RD_ECONFIG;
    e->name = copy_member(info, "name");
    e->fallback = copy_member(info, "fallback");
    e->vapi = copy_member(info, "vapi");
    e->help = copy_member(info, "help");
    e->rules = copy_member(info, "rules");
    e->tables = json_dumps(json_object_get(info, "tables"), JSON_SORT_KEYS | JSON_COMPACT);
    rc = take_lists(e, info);
    e->warnings = copy_member(info, "warnings");
    e->info = (struct agent_info){.name = e->name,
                                  .version = e->version,
                                  .numbers = (const char *const *)e->numbers,
                                  .hosts = (const char *const *)e->hosts,
                                  .secrets = (const char *const *)e->secrets,
                                  .fallback_twiml = e->fallback,
                                  .vapi_twiml = e->vapi,
                                  .help_twiml = e->help,
                                  .rules = e->rules,
                                  .tables = e->tables,
                                  .warnings = e->warnings};
    take_rules(&e->info, info);
    json_decref(info);
    if (rc)
        return rc;
    if (!e->name || !e->fallback || !e->tables || !is_response(e->fallback) ||
        (e->vapi && !is_response(e->vapi)) || (e->help && !is_response(e->help)))
        return RD_ECONFIG;
    return 0;
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

/* ringdown.runtime.load(module) → JSON | nil, lines */
static int run_file(struct agent_entry *e, struct vm *v, struct buf *complaints)
{
    lua_State *L = vm_lua(v);
    struct buf why;
    const char *text;
    size_t n = 0;
    int rc;

    buf_init(&why, WHY_MAX);
    lua_pushstring(L, e->module);
    rc = vm_call_module(v, "ringdown.runtime", "load", 1, 2, &why);
    if (rc) {
        buf_addf(complaints, "%s:1: %s\n", chunks_shown(e->chunks, e->module),
                 buf_text(&why) && why.n ? why.data : rd_strerror(rc));
        buf_fini(&why);
        return rc == -ENOMEM ? rc : RD_ECONFIG;
    }
    buf_fini(&why);
    text = lua_tolstring(L, -2, &n);
    rc = text ? take_info(e, text, n) : RD_ECONFIG;
    if (rc == RD_ECONFIG) {
        n = 0;
        text = lua_tolstring(L, -1, &n);
        complain(e, complaints, text, n);
    }
    lua_pop(L, 2);
    return rc;
}

int agent_entry_load(struct agent_entry **out, const char *module, const char *agents_path,
                     const char *library_path, struct buf *complaints)
{
    struct agent_entry *e = calloc(1, sizeof(*e));
    const char *const dirs[] = {library_path, agents_path, NULL};
    struct vm_opts opts = {0};
    struct vm *v = NULL;
    int rc = -ENOMEM;

    if (!e)
        return rc;
    atomic_init(&e->refs, 1);
    e->module = strdup(module);
    if (!e->module)
        goto done;
    rc = chunks_new(&e->chunks, dirs);
    if (rc)
        goto done;
    opts.chunks = e->chunks;
    rc = vm_new(&v, &opts);
    if (rc)
        goto done;
    (void)vm_preload(v, "ringdown.host", api_open_loading);
    rc = run_file(e, v, complaints);
    if (rc)
        goto done;
    chunks_freeze(e->chunks);
    (void)chunks_hash(e->chunks, e->version);
done:
    vm_free(v);
    if (rc)
        agent_entry_unref(e);
    else
        *out = e;
    return rc;
}
