/* SPDX-License-Identifier: Apache-2.0 */
/* settings_print.c - the settings as people read them: every key, its value, where it came from.
 * What is secret is named and never shown, in the difference between two loadings too. */
#include "gateway/settings_table.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* One value as text; secrets too, so the caller decides what may be seen. */
static void value_text(const struct settings *s, const struct setting *of, char *out, size_t cap)
{
    if (of->type == SETTING_TOKENS) {
        const char *first = s->twilio_tokens[0], *second = s->twilio_tokens[1];

        snprintf(out, cap, "%s%s%s", first ? first : "", second ? "," : "", second ? second : "");
    } else if (setting_is_text(of)) {
        snprintf(out, cap, "%s", *setting_text_field(of, s) ? *setting_text_field(of, s) : "");
    } else if (of->index) {
        const char *p = of->allowed;

        for (int i = *setting_int_field(of, s); i > 0; i--)
            p += strcspn(p, " ") + 1;
        snprintf(out, cap, "%.*s", (int)strcspn(p, " "), p);
    } else {
        snprintf(out, cap, "%d", *setting_int_field(of, s));
    }
}

int settings_diff(const struct settings *a, const struct settings *b, struct buf *out)
{
    size_t n;
    const struct setting *all = settings_table(&n);
    char before[PATH_MAX], after[PATH_MAX];
    int rc = 0;

    for (size_t i = 0; i < n && !rc; i++) {
        value_text(a, &all[i], before, sizeof(before));
        value_text(b, &all[i], after, sizeof(after));
        if (strcmp(before, after) == 0)
            continue;
        if (all[i].secret)
            rc = buf_addf(out, "%s\n", all[i].key);
        else
            rc = buf_addf(out, "%s: %s -> %s\n", all[i].key, before, after);
    }
    return rc;
}

static const char *origin_text(const struct settings *s, const struct setting *of, size_t i,
                               char *out, size_t cap)
{
    switch (s->origins[i].from) {
    case ORIGIN_FILE:
        snprintf(out, cap, "%s:%d", s->file, s->origins[i].line);
        return out;
    case ORIGIN_ENV:
        return of->env;
    case ORIGIN_SECRET_FILE:
        snprintf(out, cap, "%s_FILE", of->env);
        return out;
    case ORIGIN_MADE:
        snprintf(out, cap, "%s/secret", s->data);
        return out;
    case ORIGIN_DEFAULT:
        break;
    }
    return "default";
}

int settings_print(const struct settings *s, struct buf *out)
{
    size_t n;
    const struct setting *all = settings_table(&n);
    char text[PATH_MAX], from[PATH_MAX];
    int rc = 0;

    for (size_t i = 0; i < n && !rc; i++) {
        value_text(s, &all[i], text, sizeof(text));
        rc = buf_addf(out, "%s = %s  -- %s\n", all[i].key,
                      !text[0]        ? "off"
                      : all[i].secret ? "(hidden)"
                                      : text,
                      origin_text(s, &all[i], i, from, sizeof(from)));
    }
    return rc;
}
