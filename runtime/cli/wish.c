/* SPDX-License-Identifier: Apache-2.0 */
/* wish.c - see wish.h. */
#include "cli/wish.h"

json_t *wish_words(const struct options *o)
{
    json_t *wish = json_object(), *words = json_array();

    wish_text(wish, "verb", o->words[0]);
    for (int i = 1; i < o->n_words; i++)
        json_array_append_new(words, json_string(o->words[i]));
    json_object_set_new(wish, "words", words);
    return wish;
}

void wish_text(json_t *wish, const char *key, const char *value)
{
    if (value)
        json_object_set_new(wish, key, json_string(value));
}

void wish_true(json_t *wish, const char *key, bool value)
{
    if (value)
        json_object_set_new(wish, key, json_true());
}

int wish_operate(const struct options *o, struct operate_opts opts, json_t *wish)
{
    struct settings *s = NULL;
    int code = options_settings(o, SETTINGS_KEEPER, &s);

    if (code) {
        json_decref(wish);
        return code;
    }
    opts.settings = s;
    opts.as_json = o->json;
    code = operate(&opts, wish);
    settings_free(s);
    return code;
}
