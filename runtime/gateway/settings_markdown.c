/* SPDX-License-Identifier: Apache-2.0 */
/* settings_markdown.c - the table of docs/configuration.md, made from the one in settings_table.c: a
 * page that is written by hand is wrong after the next setting. */
#include "gateway/settings_table.h"

/* A bar would end the cell. */
static int add_cell(struct buf *out, const char *text)
{
    int rc = 0;

    for (; *text && !rc; text++)
        rc = *text == '|' ? buf_add_str(out, "\\|") : buf_add(out, text, 1);
    return rc;
}

static int add_default(struct buf *out, const struct setting *s)
{
    if (!s->fallback)
        return buf_add_str(out, "worked out");
    if (s->fallback[0])
        return buf_addf(out, "`%s`", s->fallback);
    return buf_add_str(out, s->remedy ? "none: needed" : "off");
}

/* What may be said, where that is not everything: words, schemes, or a range. */
static int add_allowed(struct buf *out, const struct setting *s)
{
    int rc = 0;

    if (s->type == SETTING_NUMBER)
        return buf_addf(out, "; %d to %d", s->min, s->max);
    if (s->type != SETTING_CHOICE)
        return 0;
    rc = buf_add_str(out, "; `");
    for (const char *p = s->allowed; *p && !rc; p++)
        rc = *p == ' ' ? buf_add_str(out, "`, `") : buf_add(out, p, 1);
    return rc ? rc : buf_add_str(out, "`");
}

static int add_row(struct buf *out, const struct setting *s)
{
    int rc = buf_addf(out, "| `%s` | `%s` | ", s->key, s->env);

    if (!rc)
        rc = add_default(out, s);
    if (!rc)
        rc = buf_add_str(out, " | ");
    if (!rc)
        rc = add_cell(out, s->about);
    if (!rc)
        rc = add_allowed(out, s);
    if (!rc && s->secret)
        rc = buf_addf(out, "; a secret, also from the file that `%s_FILE` names", s->env);
    return rc ? rc : buf_add_str(out, " |\n");
}

int settings_markdown(struct buf *out)
{
    size_t n;
    const struct setting *all = settings_table(&n);
    int rc = buf_add_str(out, "| key | environment | default | what it is |\n|---|---|---|---|\n");

    for (size_t i = 0; i < n && !rc; i++)
        rc = add_row(out, &all[i]);
    return rc;
}
