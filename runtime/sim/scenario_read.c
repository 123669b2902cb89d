/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the table of a scenario field by field, each kind of table by its own list of fields.
 *
 * Happy path: every field has the right type and goes to its place in the struct.
 * Failure modes: an unknown field, a wrong type, a step that is nothing or two things: complained
 * about with the line where the word stands, and reading goes on, so that all mistakes are seen at
 * once.
 */
#include "sim/scenario_read.h"

#include <ctype.h>
#include <jansson.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 200, LIST_MAX = 100, JSON_DEPTH_MAX = 8, DEFAULT_MAX_MS = 60000 };

/* Is the word at `at` a field that is being set, or a text of its own? */
static bool is_field(const struct scenario_reader *r, const char *at, size_t n)
{
    const char *behind = at + n + strspn(at + n, " \t");

    return behind[0] == '=' && behind[1] != '=' &&
           (at == r->source || !(isalnum((unsigned char)at[-1]) || at[-1] == '_'));
}

/* Line where the field `word` is set first, else where the word stands first; 1 when nowhere. */
static int line_of(const struct scenario_reader *r, const char *word)
{
    const char *first = word && *word ? strstr(r->source, word) : NULL, *at = first;
    int line = 1;

    while (at && !is_field(r, at, strlen(word)))
        at = strstr(at + 1, word);
    at = at ? at : first;
    for (const char *p = r->source; at && p < at; p++)
        line += *p == '\n';
    return line;
}

void scenario_complain(struct scenario_reader *r, const char *word, const char *fmt, ...)
{
    va_list ap;

    r->mistakes++;
    buf_addf(r->complaints, "%s:%d: ", r->file, line_of(r, word));
    if (r->list)
        buf_addf(r->complaints, "%s %zu: ", r->list, r->entry);
    va_start(ap, fmt);
    buf_vaddf(r->complaints, fmt, ap);
    va_end(ap);
    buf_add_str(r->complaints, "\n");
}

/* A copy of the string at the top, or NULL after a complaint. Pops. */
static char *take_string(lua_State *L, struct scenario_reader *r, const char *field)
{
    char *copy = NULL;

    if (lua_type(L, -1) == LUA_TSTRING)
        copy = strdup(lua_tostring(L, -1));
    else if (!lua_isnil(L, -1))
        scenario_complain(r, field, "%s: a text is expected, not a %s", field,
                          luaL_typename(L, -1));
    lua_pop(L, 1);
    return copy;
}

char *scenario_string_field(lua_State *L, struct scenario_reader *r, const char *field)
{
    lua_getfield(L, -1, field);
    return take_string(L, r, field);
}

/* "1200ms", "4s", "1m", or milliseconds as a number. */
uint32_t scenario_duration_field(lua_State *L, struct scenario_reader *r, const char *field,
                                 uint32_t otherwise)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    double ms = -1;

    lua_getfield(L, -1, field);
    if (lua_isnil(L, -1)) {
        ms = otherwise;
    } else if (lua_type(L, -1) == LUA_TNUMBER) {
        ms = lua_tonumber(L, -1);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        char *end;
        double v = strtod(lua_tostring(L, -1), &end);
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (strcmp(end, units[i].unit) == 0 && end != lua_tostring(L, -1))
                ms = v * units[i].ms;
        }
    }
    lua_pop(L, 1);
    if (!(ms >= 0 && ms <= 3600000)) {
        scenario_complain(
            r, field, "%s: a time such as \"1200ms\" or \"4s\" is expected, up to an hour", field);
        return otherwise;
    }
    return (uint32_t)ms;
}

/* Complains about fields of the table at the top that are not in the NULL-terminated list. */
void scenario_check_fields(lua_State *L, struct scenario_reader *r, const char *const *known)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        bool found = false;
        for (size_t i = 0; key && known[i]; i++)
            found = found || strcmp(known[i], key) == 0;
        if (!found)
            scenario_complain(r, key, "unknown field %s", key ? key : "(a list entry)");
        lua_pop(L, 1);
    }
}

static char **list_field(lua_State *L, struct scenario_reader *r, const char *field)
{
    char **list = NULL;
    size_t n;

    lua_getfield(L, -1, field);
    if (lua_istable(L, -1)) {
        n = lua_rawlen(L, -1);
        if (n > LIST_MAX)
            scenario_complain(r, field, "%s: at most %d entries", field, LIST_MAX);
        else
            list = calloc(n + 1, sizeof(char *));
        for (size_t i = 0; list && i < n; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            list[i] = take_string(L, r, field);
            if (!list[i])
                break;
        }
    } else if (!lua_isnil(L, -1)) {
        scenario_complain(r, field, "%s: a list of texts is expected", field);
    }
    lua_pop(L, 1);
    return list;
}

/* A file that exists; relative ones lie beside the scenario. Takes and returns heap memory. */
static char *file_field(lua_State *L, struct scenario_reader *r, const char *field)
{
    char *name = scenario_string_field(L, r, field), *path = NULL;
    const char *slash = strrchr(r->file, '/');
    FILE *f;

    if (!name)
        return NULL;
    if (name[0] == '/' || !slash) {
        path = name;
    } else {
        if (asprintf(&path, "%.*s/%s", (int)(slash - r->file), r->file, name) < 0)
            path = NULL;
        free(name);
    }
    f = path ? fopen(path, "re") : NULL;
    if (!f)
        scenario_complain(r, field, "%s: %s cannot be opened", field, path ? path : "");
    else
        fclose(f);
    return path;
}

static void step_timing(lua_State *L, struct scenario_reader *r, struct scenario_step *s)
{
    char *after = scenario_string_field(L, r, "after"),
         *during = scenario_string_field(L, r, "during");

    if ((after && strcmp(after, "agent") != 0) || (during && strcmp(during, "agent") != 0))
        scenario_complain(r, during ? "during" : "after", "after and during can only be \"agent\"");
    if (after && during)
        scenario_complain(r, "during", "a step is after or during, not both");
    s->after = after != NULL;
    s->during = during != NULL;
    s->at_ms = scenario_duration_field(L, r, "at", 0);
    free(after);
    free(during);
}

static bool has_field(lua_State *L, const char *name)
{
    bool has = lua_getfield(L, -1, name) != LUA_TNIL;

    lua_pop(L, 1);
    return has;
}

static void read_loss(lua_State *L, struct scenario_reader *r, struct scenario_step *s)
{
    s->breaks = has_field(L, "breaks");
    s->stops = has_field(L, "stops");
    s->lost_at_ms = scenario_duration_field(L, r, s->stops ? "stops" : "breaks", 0);
    if (s->breaks && s->stops)
        scenario_complain(r, "stops", "a stream either breaks or stops");
    if ((s->breaks || s->stops) && (s->digits || s->wait_ms || s->hangup))
        scenario_complain(
            r, s->stops ? "stops" : "breaks",
            "the stream can be lost while something is said, or in a step of its own");
}

static void read_step(lua_State *L, struct scenario_reader *r, struct scenario_step *s)
{
    static const char *const fields[] = {"after",  "during", "at",   "say",    "voice", "play",
                                         "digits", "hangup", "wait", "breaks", "stops", NULL};
    int n_acts;

    scenario_check_fields(L, r, fields);
    step_timing(L, r, s);
    s->say = scenario_string_field(L, r, "say");
    s->voice = scenario_string_field(L, r, "voice");
    s->play = file_field(L, r, "play");
    s->digits = scenario_string_field(L, r, "digits");
    s->wait_ms = scenario_duration_field(L, r, "wait", 0);
    lua_getfield(L, -1, "hangup");
    s->hangup = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (s->digits && s->digits[strspn(s->digits, "0123456789*#ABCD")] != '\0')
        scenario_complain(r, "digits", "digits: only 0-9, *, # and A-D can be pressed");
    if (s->say && s->say[0] == '\0')
        scenario_complain(r, "say", "say: nothing to say");
    read_loss(L, r, s);
    n_acts = !!s->say + !!s->play + !!s->digits + (s->wait_ms > 0) + s->hangup;
    if (n_acts > 1 || (n_acts == 0 && !s->breaks && !s->stops))
        scenario_complain(r, "caller",
                          "a step does exactly one of say, play, digits, wait, hangup, or only "
                          "loses the stream (breaks, stops)");
}

static json_t *value_to_json(lua_State *L, int depth);

/* The table at the top: a list when it has a first entry, else an object. */
static json_t *table_to_json(lua_State *L, int depth)
{
    size_t n = lua_rawlen(L, -1);
    json_t *out = n > 0 ? json_array() : json_object();

    if (n > 0) {
        for (size_t i = 1; i <= n; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i);
            json_array_append_new(out, value_to_json(L, depth));
            lua_pop(L, 1);
        }
        return out;
    }
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING)
            json_object_set_new(out, lua_tostring(L, -2), value_to_json(L, depth));
        lua_pop(L, 1);
    }
    return out;
}

/* Recursion is limited by JSON_DEPTH_MAX. */
static json_t *value_to_json(lua_State *L, int depth)
{
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        return json_string(lua_tostring(L, -1));
    case LUA_TBOOLEAN:
        return json_boolean(lua_toboolean(L, -1));
    case LUA_TNUMBER:
        return lua_isinteger(L, -1) ? json_integer(lua_tointeger(L, -1))
                                    : json_real(lua_tonumber(L, -1));
    case LUA_TTABLE:
        return depth < JSON_DEPTH_MAX && lua_checkstack(L, 8) ? table_to_json(L, depth + 1)
                                                              : json_null();
    default:
        return json_null();
    }
}

/* { name = "…", arguments = { … } } */
static void read_tool(lua_State *L, struct scenario_reader *r, const char *field, char **name,
                      char **arguments)
{
    static const char *const fields[] = {"name", "arguments", NULL};
    json_t *tree;

    lua_getfield(L, -1, field);
    if (lua_istable(L, -1)) {
        scenario_check_fields(L, r, fields);
        *name = scenario_string_field(L, r, "name");
        if (!*name)
            scenario_complain(r, field, "%s: a name is missing", field);
        lua_getfield(L, -1, "arguments");
        tree = lua_istable(L, -1) ? table_to_json(L, 0) : json_object();
        *arguments = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(tree);
        lua_pop(L, 1);
    } else if (!lua_isnil(L, -1)) {
        scenario_complain(r, field, "%s: { name = \"…\", arguments = { … } } is expected", field);
    }
    lua_pop(L, 1);
}

static void read_reply(lua_State *L, struct scenario_reader *r, struct scenario_reply *y)
{
    static const char *const fields[] = {"hears", "hears_file", "voice",     "told",  "says",
                                         "tool",  "then_says",  "then_tool", "fault", NULL};

    scenario_check_fields(L, r, fields);
    y->hears = scenario_string_field(L, r, "hears");
    y->hears_file = file_field(L, r, "hears_file");
    y->voice = scenario_string_field(L, r, "voice");
    y->told = scenario_string_field(L, r, "told");
    y->says = scenario_string_field(L, r, "says");
    y->then_says = scenario_string_field(L, r, "then_says");
    y->fault = scenario_string_field(L, r, "fault");
    read_tool(L, r, "tool", &y->tool, &y->arguments);
    read_tool(L, r, "then_tool", &y->then_tool, &y->then_arguments);
    if (!y->hears)
        scenario_complain(r, "model", "hears is missing");
    if (!y->says && !y->tool && !y->then_says && !y->fault)
        scenario_complain(r, y->hears, "a reply says something, calls a tool or has a fault");
    if (y->then_tool && !y->tool)
        scenario_complain(r, "then_tool", "then_tool: without a tool before it");
}

static void read_expect(lua_State *L, struct scenario_reader *r, struct scenario_expect *x)
{
    static const char *const fields[] = {"ended_by", "barge_ins", "tools", "heard",
                                         "voice",    "verbs",     NULL};
    static const char *const ends[] = {"agent",   "caller", "fallback", "transfer",
                                       "timeout", "error",  NULL};
    bool known = false;

    scenario_check_fields(L, r, fields);
    x->ended_by = scenario_string_field(L, r, "ended_by");
    for (size_t i = 0; x->ended_by && ends[i]; i++)
        known = known || strcmp(ends[i], x->ended_by) == 0;
    if (x->ended_by && !known)
        scenario_complain(r, "ended_by",
                          "ended_by: agent, caller, fallback, transfer, timeout or error, not %s",
                          x->ended_by);
    lua_getfield(L, -1, "barge_ins");
    if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 0 && lua_tointeger(L, -1) < 1000)
        x->barge_ins = (int)lua_tointeger(L, -1);
    else if (!lua_isnil(L, -1))
        scenario_complain(r, "barge_ins", "barge_ins: a whole number is expected");
    lua_pop(L, 1);
    x->tools = list_field(L, r, "tools");
    x->heard = list_field(L, r, "heard");
    x->voice = scenario_string_field(L, r, "voice");
    x->verbs = list_field(L, r, "verbs");
}

static void step_entry(lua_State *L, struct scenario_reader *r, void *entry)
{
    read_step(L, r, entry);
}

static void reply_entry(lua_State *L, struct scenario_reader *r, void *entry)
{
    read_reply(L, r, entry);
}

/* A list of tables into an array; *n counts what was begun, so that scenario_free() finds it. */
void *scenario_read_entries(lua_State *L, struct scenario_reader *r, const char *field, size_t size,
                            size_t *n, scenario_entry_fn *read)
{
    char *all = NULL;
    size_t want;

    lua_getfield(L, -1, field);
    want = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    if (!lua_isnil(L, -1) && (!lua_istable(L, -1) || want > STEPS_MAX))
        scenario_complain(r, field, "%s: a list of at most %d tables is expected", field,
                          STEPS_MAX);
    else
        all = calloc(want + 1, size);
    for (size_t i = 0; all && i < want; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        r->list = field;
        r->entry = i + 1;
        if (lua_istable(L, -1)) {
            (*n)++;
            read(L, r, all + (*n - 1) * size);
        } else {
            scenario_complain(r, field, "not a table");
        }
        lua_pop(L, 1);
    }
    r->list = NULL;
    lua_pop(L, 1);
    return all;
}

static void read_dial(lua_State *L, struct scenario_reader *r, struct scenario *s)
{
    static const char *const statuses[] = {"completed", "busy", "no-answer", "failed", NULL};
    char *dial = scenario_string_field(L, r, "dial");
    bool known = !dial;

    for (size_t i = 0; !known && statuses[i]; i++)
        known = strcmp(statuses[i], dial) == 0;
    if (!known)
        scenario_complain(r, "dial", "dial: completed, busy, no-answer or failed, not %s", dial);
    s->dial = dial;
}

static void read_root(lua_State *L, struct scenario_reader *r)
{
    static const char *const fields[] = {"name",   "from", "to",     "caller", "model", "max",
                                         "expect", "dial", "people", "texts",  NULL};
    struct scenario *s = r->out;
    char *name;

    scenario_check_fields(L, r, fields);
    name = scenario_string_field(L, r, "name");
    if (name) {
        free(s->name);
        s->name = name;
    }
    s->from = scenario_string_field(L, r, "from");
    s->to = scenario_string_field(L, r, "to");
    s->max_ms = scenario_duration_field(L, r, "max", DEFAULT_MAX_MS);
    read_dial(L, r, s);
    s->steps = scenario_read_entries(L, r, "caller", sizeof(*s->steps), &s->n_steps, step_entry);
    s->replies =
        scenario_read_entries(L, r, "model", sizeof(*s->replies), &s->n_replies, reply_entry);
    scenario_read_people(L, r);
    s->expect.barge_ins = -1;
    lua_getfield(L, -1, "expect");
    if (lua_istable(L, -1))
        read_expect(L, r, &s->expect);
    else if (!lua_isnil(L, -1))
        scenario_complain(r, "expect", "expect: a table is expected");
    lua_pop(L, 1);
    if (!s->from || !s->to)
        scenario_complain(r, "return", "from and to: both numbers are needed");
}

int scenario_read_lua(lua_State *L)
{
    struct scenario_reader *r = lua_touserdata(L, 1);

    lua_call(L, 0, 1);
    if (!lua_istable(L, -1)) {
        scenario_complain(r, "return", "a scenario returns a table");
        return 0;
    }
    read_root(L, r);
    return 0;
}
