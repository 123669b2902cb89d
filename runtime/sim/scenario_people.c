/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other telephones of a scenario, and who texts.
 *
 * Happy path: `people` is a table from number to person, `texts` a list; what is not said gets the
 * defaults below.
 * Failure modes: a key that is no number, an unknown word, a wrong type: complained about, as in
 * scenario_read.c, and reading goes on.
 */
#include "sim/scenario_read.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum {
    AN_HOUR_MS = 3600000,
    PEOPLE_MAX = 50,
    AFTER_MS = 500,
    THINKS_MS = 1000,
    TALKS_MS = 1000,
    VOICEMAIL_MS = 10000
};

static void text_fini(struct scenario_text *t)
{
    free(t->from);
    free(t->to);
    free(t->body);
}

void scenario_people_fini(struct scenario *s)
{
    for (size_t i = 0; i < s->n_people; i++) {
        struct scenario_person *p = &s->people[i];
        for (size_t k = 0; k < p->n_replies; k++)
            text_fini(&p->replies[k]);
        free(p->replies);
        free(p->presses);
        free(p->number);
    }
    for (size_t i = 0; i < s->n_texts; i++)
        text_fini(&s->texts[i]);
    free(s->people);
    free(s->texts);
}

const struct scenario_person *scenario_person(const struct scenario *s, const char *number)
{
    for (size_t i = 0; i < s->n_people; i++) {
        if (strcmp(s->people[i].number, number) == 0)
            return &s->people[i];
    }
    return NULL;
}

/* The place of a word in a NULL-terminated list; 0 when absent or, after a complaint, unknown. */
static int word_field(lua_State *L, struct scenario_reader *r, const char *field,
                      const char *const *words, const char *allowed)
{
    char *word = scenario_string_field(L, r, field);
    int place = 0;

    while (word && words[place] && strcmp(words[place], word) != 0)
        place++;
    if (!words[place]) {
        scenario_complain(r, field, "%s: %s, not %s", field, allowed, word);
        place = 0;
    }
    free(word);
    return place;
}

/* { "1", after = "2s" } */
static void read_reply_text(lua_State *L, struct scenario_reader *r, void *entry)
{
    struct scenario_text *t = entry;

    lua_rawgeti(L, -1, 1);
    if (lua_type(L, -1) == LUA_TSTRING)
        t->body = strdup(lua_tostring(L, -1));
    else
        scenario_complain(r, "replies", "the words come first: { \"1\", after = \"2s\" }");
    lua_pop(L, 1);
    t->at_ms = scenario_duration_field(L, r, "after", THINKS_MS);
}

static void read_text(lua_State *L, struct scenario_reader *r, void *entry)
{
    static const char *const fields[] = {"from", "to", "body", "at", NULL};
    struct scenario_text *t = entry;

    scenario_check_fields(L, r, fields);
    t->from = scenario_string_field(L, r, "from");
    t->to = scenario_string_field(L, r, "to");
    t->body = scenario_string_field(L, r, "body");
    t->at_ms = scenario_duration_field(L, r, "at", 0);
    if (!t->body)
        scenario_complain(r, "texts", "body is missing");
}

static void read_text_error(lua_State *L, struct scenario_reader *r, struct scenario_person *p)
{
    lua_getfield(L, -1, "text");
    if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 20000 && lua_tointeger(L, -1) < 40000)
        p->text = (int)lua_tointeger(L, -1);
    else if (!lua_isnil(L, -1))
        scenario_complain(r, "text", "text: an error code such as 21610 or 30006 is expected");
    lua_pop(L, 1);
}

static void read_person(lua_State *L, struct scenario_reader *r, struct scenario_person *p)
{
    static const char *const fields[] = {"answers", "after",     "presses", "thinks", "talks",
                                         "text",    "callbacks", "replies", NULL};
    static const char *const answers[] = {"human",     "voicemail", "busy",
                                          "no-answer", "failed",    NULL};
    static const char *const callbacks[] = {"in order", "twice", "backwards", "none", NULL};
    bool human;

    scenario_check_fields(L, r, fields);
    p->answers = (enum scenario_answer)word_field(L, r, "answers", answers,
                                                  "human, voicemail, busy, no-answer or failed");
    human = p->answers == SCENARIO_HUMAN;
    p->after_ms = scenario_duration_field(L, r, "after",
                                          p->answers == SCENARIO_NO_ANSWER ? AN_HOUR_MS : AFTER_MS);
    p->thinks_ms = scenario_duration_field(L, r, "thinks", THINKS_MS);
    p->talks_ms = scenario_duration_field(L, r, "talks", human ? TALKS_MS : VOICEMAIL_MS);
    p->presses = scenario_string_field(L, r, "presses");
    if (!p->presses)
        p->presses = strdup(human ? "1" : "");
    if (p->presses && p->presses[strspn(p->presses, "0123456789*#")] != '\0')
        scenario_complain(r, "presses", "presses: only 0-9, * and # can be pressed");
    read_text_error(L, r, p);
    p->callbacks = (enum scenario_callbacks)word_field(L, r, "callbacks", callbacks,
                                                       "in order, twice, backwards or none");
    p->replies =
        scenario_read_entries(L, r, "replies", sizeof(*p->replies), &p->n_replies, read_reply_text);
}

/* The key below the table at the top. */
static void read_number(lua_State *L, struct scenario_reader *r, struct scenario *s)
{
    const char *number = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

    if (!number || number[0] != '+' || !lua_istable(L, -1)) {
        scenario_complain(r, "people", "people: [\"+13125550188\"] = { … } is expected");
    } else if (s->n_people == PEOPLE_MAX) {
        scenario_complain(r, "people", "people: at most %d", PEOPLE_MAX);
    } else {
        struct scenario_person *p = &s->people[s->n_people++];
        p->number = strdup(number);
        read_person(L, r, p);
    }
}

void scenario_read_people(lua_State *L, struct scenario_reader *r)
{
    struct scenario *s = r->out;

    lua_getfield(L, -1, "people");
    if (lua_istable(L, -1))
        s->people = calloc(PEOPLE_MAX, sizeof(*s->people));
    else if (!lua_isnil(L, -1))
        scenario_complain(r, "people", "people: a table is expected");
    if (s->people) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            read_number(L, r, s);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    s->texts = scenario_read_entries(L, r, "texts", sizeof(*s->texts), &s->n_texts, read_text);
}
